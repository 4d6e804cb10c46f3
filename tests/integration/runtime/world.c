#include "tests/integration/runtime/world.h"

#include "base/auto.h"
#include "base/mem.h"
#include "tests/support/namespaces.h"

#include <arpa/inet.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

char *const environment[] = {(char *)"PATH=/usr/bin:/bin", NULL};

int set_up(void **state)
{
    static int count;
    world_t *self = xcalloc(1, sizeof(*self));
    self->ev = ev_new();
    struct stat folder = {0}; /* everybody's pid is 1 here, but the folder's device is ours */
    assert_int_equal(stat("/tmp", &folder), 0);
    AUTO_FREE char *cgroup = xasprintf("aiopslab-test-%d.%jx", count++, (uintmax_t)folder.st_dev);
    err_t err = {0};
    json_auto_t *hidden = json_pack("[s]", "/usr/share/doc");
    const runtime_config_t config = {.cgroup = cgroup, .work_dir = "/tmp", .hidden = hidden};
    self->runtime = runtime_new(self->ev, &config, &err);
    if (!self->runtime)
        fail_msg("%s", err.text);
    self->config.security.capabilities = spawn_default_capabilities();
    *state = self;
    return 0;
}

int tear_down(void **state)
{
    world_t *self = *state;
    runtime_destroy(&self->runtime);
    ev_destroy(&self->ev);
    free(self);
    return 0;
}

sandbox_t *sandbox_at(world_t *self, const char *name, const char *address)
{
    err_t err = {0};
    struct in_addr in = {.s_addr = inet_addr(address)};
    sandbox_t *sandbox = sandbox_new(self->runtime, name, in, "default.svc.cluster.local", &err);
    if (!sandbox)
        fail_msg("%s", err.text);
    return sandbox;
}

void on_exit_stop(void *arg, const container_exit_t *exit)
{
    world_t *self = arg;
    self->exit = *exit;
    ev_stop(self->ev);
}

container_t *start(
    world_t *self, sandbox_t *sandbox, const char *name, const char *script, int *fd_p)
{
    err_t err = {0};
    char *argv[] = {(char *)"sh", (char *)"-c", (char *)script, NULL};
    container_config_t config = self->config;
    config.name = name;
    config.argv = argv;
    config.envp = environment;
    streams_t streams;
    container_t *container = container_start(sandbox, &config, &streams, on_exit_stop, self, &err);
    if (!container)
        fail_msg("%s", err.text);
    *fd_p = streams.out;
    return container;
}

void run_script(world_t *self, const char *script)
{
    int fd = -1;
    AUTO(sandbox_destroy) sandbox_t *sandbox = sandbox_at(self, "web-0", "10.244.0.9");
    AUTO(container_destroy) container_t *container = start(self, sandbox, "c", script, &fd);
    ev_run(self->ev);
    ssize_t size = read(fd, self->output, sizeof(self->output) - 1);
    self->output[size > 0 ? size : 0] = '\0';
    close(fd);
}

static int (*s_run)(void);

static int run_with_folder(void)
{
    if (mount("work", "/tmp", "tmpfs", 0, NULL) < 0) /* the runtime's, gone with us */
        return EXIT_FAILURE;
    return s_run();
}

int world_main(int (*run)(void))
{
    s_run = run;
    return in_namespaces(run_with_folder);
}
