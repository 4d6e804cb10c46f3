/* Real sandboxes, containers and commands, in namespaces of the test's own. */
#include "services/cluster/runtime/service_table.h"
#include "tests/integration/runtime/world.h"

#include "base/auto.h"

#include <arpa/inet.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static void a_container_tells_its_exit_code(void **state)
{
    world_t *self = *state;
    run_script(self, "exit 7");
    assert_int_equal(self->exit.code, 7);
    assert_int_equal(self->exit.signal, 0);
}

static void a_container_is_alone_with_its_own_root(void **state)
{
    world_t *self = *state;
    run_script(self, "hostname; echo $$; ls /; ls /proc | grep -c '^[0-9]'; cat /etc/hosts");
    assert_non_null(strstr(self->output, "web-0\n1\n"));
    assert_non_null(strstr(self->output, "10.244.0.9\tweb-0"));
    assert_null(strstr(self->output, "\nboot\n"));
    assert_null(strstr(self->output, "\nsys\n"));
}

static void a_container_cannot_change_what_it_shares(void **state)
{
    world_t *self = *state;
    run_script(self, "touch /usr/x; mount -t tmpfs t /tmp; mknod /tmp/d b 8 0; echo done");
    assert_non_null(strstr(self->output, "Read-only file system"));
    assert_non_null(strstr(self->output, "done"));
    assert_null(strstr(self->output, "mounted"));
}

static void a_program_that_is_not_there_is_told(void **state)
{
    world_t *self = *state;
    err_t err = {0};
    streams_t streams;
    char *argv[] = {(char *)"no-such-program", NULL};
    container_config_t config = {.name = "c", .argv = argv, .envp = environment};
    AUTO(sandbox_destroy) sandbox_t *sandbox = sandbox_at(self, "web-0", "10.244.0.9");
    assert_null(container_start(sandbox, &config, &streams, on_exit_stop, self, &err));
    assert_string_equal(err.text, "exec: No such file or directory");
}

static void a_killed_container_tells_the_signal(void **state)
{
    world_t *self = *state;
    int fd = -1;
    AUTO(sandbox_destroy) sandbox_t *sandbox = sandbox_at(self, "web-0", "10.244.0.9");
    AUTO(container_destroy) container_t *container = start(self, sandbox, "c", "sleep 100", &fd);
    container_kill(container, SIGKILL);
    ev_run(self->ev);
    close(fd);
    assert_int_equal(self->exit.code, 137);
    assert_int_equal(self->exit.signal, 9);
}

static void pods_reach_each_other(void **state)
{
    world_t *self = *state;
    int server_fd = -1;
    int client_fd = -1;
    AUTO(sandbox_destroy) sandbox_t *one = sandbox_at(self, "one", "10.244.0.2");
    AUTO(sandbox_destroy) sandbox_t *two = sandbox_at(self, "two", "10.244.0.3");
    AUTO(container_destroy)
    container_t *server = start(self, one, "server",
        "exec python3 -c 'import socket; s=socket.create_server((\"\",80)); "
        "print(\"up\",flush=True);"
        " c,a=s.accept(); c.sendall(a[0].encode()); c.close()'",
        &server_fd);
    AUTO(container_destroy)
    container_t *client = start(self, two, "client",
        "exec python3 -c 'import socket,time\nfor i in range(500):\n try:\n"
        "  print(socket.create_connection((\"10.244.0.2\",80)).recv(99)); break\n"
        " except ConnectionRefusedError: time.sleep(0.01)'",
        &client_fd);
    ev_run(self->ev); /* either ends first … */
    ev_run(self->ev);
    ssize_t size = read(client_fd, self->output, sizeof(self->output) - 1);
    close(server_fd);
    close(client_fd);
    assert_true(size > 0);
    assert_non_null(strstr(self->output, "10.244.0.3"));
}

static void a_service_leads_to_its_endpoint(void **state)
{
    world_t *self = *state;
    err_t err = {0};
    int server_fd = -1;
    int client_fd = -1;
    AUTO(service_table_destroy) service_table_t *services = service_table_new(1, &err);
    if (!services)
        fail_msg("%s", err.text);
    const service_front_t front = {
        .address = {inet_addr("10.96.7.7")}, .protocol = "tcp", .port = 80};
    service_endpoint_t endpoint = {{inet_addr("10.244.0.2")}, 8080};
    assert_int_equal(service_table_set(services, &front, &endpoint, 1, &err), 0);
    AUTO(sandbox_destroy) sandbox_t *one = sandbox_at(self, "one", "10.244.0.2");
    AUTO(sandbox_destroy) sandbox_t *two = sandbox_at(self, "two", "10.244.0.3");
    AUTO(container_destroy)
    container_t *server = start(self, one, "server",
        "exec python3 -c 'import socket; s=socket.create_server((\"\",8080));"
        " c,a=s.accept(); c.sendall(a[0].encode()); c.close()'",
        &server_fd);
    AUTO(container_destroy)
    container_t *client = start(self, two, "client",
        "exec python3 -c 'import socket,time\nfor i in range(500):\n try:\n"
        "  print(socket.create_connection((\"10.96.7.7\",80)).recv(99)); break\n"
        " except ConnectionRefusedError: time.sleep(0.01)'",
        &client_fd);
    ev_run(self->ev);
    ev_run(self->ev);
    ssize_t size = read(client_fd, self->output, sizeof(self->output) - 1);
    close(server_fd);
    close(client_fd);
    assert_true(size > 0);
    assert_non_null(strstr(self->output, "10.244.0.3"));
}

static void a_service_without_endpoints_refuses(void **state)
{
    world_t *self = *state;
    err_t err = {0};
    AUTO(service_table_destroy) service_table_t *services = service_table_new(1, &err);
    const service_front_t front = {
        .address = {inet_addr("10.96.7.7")}, .protocol = "tcp", .port = 80};
    service_endpoint_t endpoint = {{inet_addr("10.244.0.2")}, 8080};
    assert_int_equal(service_table_set(services, &front, &endpoint, 1, &err), 0);
    assert_int_equal(service_table_set(services, &front, NULL, 0, &err), 0);
    run_script(self,
        "exec python3 -c 'import socket\ntry: socket.create_connection((\"10.96.7.7\",80),5)"
        "\nexcept ConnectionRefusedError: print(\"refused\")'");
    assert_string_equal(self->output, "refused\n");
}

static void on_command_done(void *arg, const command_result_t *result)
{
    world_t *self = arg;
    self->result = *result;
    snprintf(self->output, sizeof(self->output), "%s", result->output);
    ev_stop(self->ev);
}

static void run_command(world_t *self, const char *script, int64_t timeout_ms, size_t limit)
{
    int fd = -1;
    err_t err = {0};
    AUTO(sandbox_destroy) sandbox_t *sandbox = sandbox_at(self, "web-0", "10.244.0.9");
    AUTO(container_destroy)
    container_t *container = start(self, sandbox, "c", "exec sleep 1000", &fd);
    char *argv[] = {(char *)"bash", (char *)"-c", (char *)script, NULL};
    static const spawn_security_t agent = {.uid = 1000, .gid = 1000, .has_no_new_privileges = true};
    command_config_t config = {.argv = argv,
        .envp = environment,
        .is_confined = true,
        .security = &agent,
        .timeout_ms = timeout_ms,
        .output_limit = limit};
    if (!command_start(container, &config, on_command_done, self, &err))
        fail_msg("%s", err.text);
    ev_run(self->ev);
    close(fd);
}

static void a_command_sees_only_itself(void **state)
{
    world_t *self = *state;
    run_command(self, "echo $$; ls /proc | grep -c '^[0-9]'; exit 3", 5000, 1000);
    assert_int_equal(self->result.exit_code, 3);
    assert_memory_equal(self->output, "1\n", 2);
}

static void a_command_is_ended_with_all_it_started(void **state)
{
    world_t *self = *state;
    run_command(self, "echo begun; sleep 100 & nohup setsid sleep 100 & wait", 3000, 1000);
    assert_true(self->result.is_timed_out);
    assert_string_equal(self->output, "begun\n");
}

static void long_output_loses_its_middle(void **state)
{
    world_t *self = *state;
    run_command(
        self, "echo first; head -c 10000000 /dev/zero | tr '\\0' x; echo; echo last", 20000, 1000);
    assert_int_equal(self->result.exit_code, 0);
    assert_int_equal(self->result.omitted, 10000000 + 12 - 1000);
    assert_memory_equal(self->output, "first\nxx", 8);
    assert_non_null(strstr(self->output, "[9999012 bytes cut out here]"));
    assert_non_null(strstr(self->output, "xx\nlast\n"));
}

static int run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_container_tells_its_exit_code, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_container_is_alone_with_its_own_root, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_container_cannot_change_what_it_shares, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_program_that_is_not_there_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_killed_container_tells_the_signal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pods_reach_each_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_service_leads_to_its_endpoint, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_service_without_endpoints_refuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_command_sees_only_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_command_is_ended_with_all_it_started, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_output_loses_its_middle, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return world_main(run);
}
