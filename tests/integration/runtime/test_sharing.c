/* Containers and commands that share another container's processes. */
#include "tests/integration/runtime/world.h"

#include "base/auto.h"

#include <string.h>
#include <unistd.h>

enum { PATIENCE_S = 60 };

typedef struct host {
    sandbox_t *sandbox;
    container_t *container;
    int fd;
} host_t;

static void begin_host(world_t *self, host_t *host)
{
    host->sandbox = sandbox_at(self, "web-0", "10.244.0.9");
    host->container = start(self, host->sandbox, "host", "exec sleep 5150", &host->fd);
}

static void end_host(host_t *host)
{
    container_destroy(&host->container);
    sandbox_destroy(&host->sandbox);
    close(host->fd);
}

static container_t *start_guest(world_t *self, const host_t *host, const char *script, int *fd_p)
{
    self->config.pids_of = host->container;
    return start(self, host->sandbox, "guest", script, fd_p);
}

static void read_output(world_t *self, int fd)
{
    ssize_t size = read(fd, self->output, sizeof(self->output) - 1);
    self->output[size > 0 ? size : 0] = '\0';
    close(fd);
}

static void run_guest(world_t *self, const host_t *host, const char *script)
{
    int fd = -1;
    AUTO(container_destroy) container_t *guest = start_guest(self, host, script, &fd);
    ev_run(self->ev);
    read_output(self, fd);
}

/* The kernel lets the first process of a container end when we have reaped the command: waiting
 * for the first in destroy() stopped the whole environment. */
static void a_container_is_destroyed_while_a_command_runs_in_it(void **state)
{
    world_t *self = *state;
    host_t host;
    streams_t streams;
    err_t err = {0};
    char *argv[] = {(char *)"sleep", (char *)"1000", NULL};
    task_config_t config = {.argv = argv, .envp = environment};
    begin_host(self, &host);
    alarm(PATIENCE_S);
    assert_non_null(task_start(host.container, &config, &streams, on_exit_stop, self, &err));
    end_host(&host);
    ev_run(self->ev);
    alarm(0);
    close(streams.out);
    close(streams.err);
    assert_int_equal(self->exit.code, 137);
}

static void a_guest_sees_its_hosts_processes(void **state)
{
    world_t *self = *state;
    host_t host;
    begin_host(self, &host);
    run_guest(self, &host, "tr '\\0' ' ' < /proc/1/cmdline; hostname; ls -d /app /tmp; exit 3");
    end_host(&host);
    assert_int_equal(self->exit.code, 3);
    assert_non_null(strstr(self->output, "sleep 5150 web-0\n"));
}

static void what_a_guest_started_ends_with_it(void **state)
{
    world_t *self = *state;
    host_t host;
    begin_host(self, &host);
    run_guest(self, &host, "sleep 5151 & exit 0");
    run_guest(self, &host, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '");
    end_host(&host);
    assert_non_null(strstr(self->output, "sleep 5150"));
    assert_null(strstr(self->output, "sleep 5151"));
}

static void a_guest_ends_with_its_host(void **state)
{
    world_t *self = *state;
    host_t host;
    int fd = -1;
    begin_host(self, &host);
    AUTO(container_destroy) container_t *guest = start_guest(self, &host, "exec sleep 1000", &fd);
    alarm(PATIENCE_S);
    end_host(&host);
    ev_run(self->ev);
    alarm(0);
    close(fd);
    assert_int_equal(self->exit.code, 137);
    assert_false(container_is_running(guest));
}

static int run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_container_is_destroyed_while_a_command_runs_in_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_guest_sees_its_hosts_processes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_guest_started_ends_with_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_guest_ends_with_its_host, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return world_main(run);
}
