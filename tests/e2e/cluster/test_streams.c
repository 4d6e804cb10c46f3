/* exec, attach, cp and port-forward by the real kubectl. As an ordinary user it speaks SPDY/3.1, as
 * older ones do and newer ones fall back to; otherwise WebSocket, if it knows that. */
#include "tests/e2e/cluster/world.h"

#include "base/auto.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { SKIPPED = 77, OUTPUT_MAX = 65536 };

/* What a script prints, both streams, for free(); kubectl in it is this environment's. */
static char *shell(world_t *self, const char *script)
{
    AUTO_FREE char *command = xasprintf(
        "exec 2>&1; cd '%s'; export HOME=\"$PWD\" KUBECONFIG='%s'; rm -rf work; mkdir work; cd "
        "work; await() { for i in $(seq 300); do if \"$@\"; then return; fi; sleep 0.1; done; "
        "echo 'waited in vain for' \"$@\"; }\n%s",
        self->stack->folder, self->kubeconfig, script);
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    char *text = xcalloc(1, OUTPUT_MAX);
    text[fread(text, 1, OUTPUT_MAX - 1, pipe)] = '\0';
    pclose(pipe);
    return text;
}

static void expect_output(void **state, const char *script, const char *expected)
{
    AUTO_FREE char *output = shell(*state, script);
    assert_string_equal(output, expected);
}

/* ---- exec ------------------------------------------------------------------------------------ */

static void a_command_has_its_streams_and_its_exit_code(void **state)
{
    expect_output(state,
        "kubectl exec deploy/web -- sh -c 'echo out; echo err >&2; exit 3' 2>err; echo $?; cat err",
        "out\n3\nerr\ncommand terminated with exit code 3\n");
}

static void a_command_runs_as_the_container_does(void **state)
{
    world_t *self = *state;
    world_run(self, "user", "sleep 1000",
        "'workingDir': '/var/tmp', 'env': [{'name': 'COLOUR', 'value': 'blue'}], "
        "'securityContext': {'runAsUser': 0},",
        "'terminationGracePeriodSeconds': 0,");
    world_await(self, "Pod", "user", "status.phase", "Running");
    expect_output(state, "kubectl exec user -- sh -c 'pwd; echo $COLOUR; hostname; id -u'",
        "/var/tmp\nblue\nuser\n0\n");
}

static void a_program_that_is_not_there_is_named(void **state)
{
    AUTO_FREE char *output = shell(*state, "kubectl exec deploy/web -- no-such-program; echo $?");
    expect_in(output, "exec: \"no-such-program\": executable file not found in $PATH");
    expect_in(output, "\n1\n");
}

static void input_goes_in_and_ends(void **state)
{
    expect_output(state, "printf 'a\\nb\\n' | kubectl exec -i deploy/web -- sh -c 'cat; echo end'",
        "a\nb\nend\n");
}

static void much_goes_both_ways_at_once(void **state)
{
    expect_output(state,
        "head -c 5000000 /dev/urandom >data; kubectl exec -i deploy/web -- cat <data >back; cmp "
        "data back && echo same",
        "same\n");
}

static void a_command_without_input_reads_none(void **state)
{
    expect_output(state, "echo x | kubectl exec deploy/web -- sh -c 'cat; echo end'", "end\n");
}

static void a_terminal_is_one_of_the_pod(void **state)
{
    AUTO_FREE char *output = shell(*state,
        "script -qec \"kubectl exec -it deploy/web -- sh -c 'tty; test -t 2 && echo terminal; echo "
        "\\$TERM; exit 4'\" /dev/null </dev/null; echo $?");
    expect_in(output, "/dev/pts/0\r\nterminal\r\nxterm\r\n");
    expect_in(output, "\n4\n");
}

static void a_terminal_has_the_clients_size(void **state)
{
    AUTO_FREE char *output = shell(*state,
        "script -qec \"stty rows 33 cols 77; kubectl exec -it deploy/web -- sh -c 'until stty size "
        "| grep -v \\\"^0\\\"; do sleep 0.05; done'\" /dev/null </dev/null");
    expect_in(output, "33 77");
}

static void a_container_that_is_not_there_is_refused(void **state)
{
    world_t *self = *state;
    world_run(self, "over", "exit 0", "", "'restartPolicy': 'Never',");
    world_await(self, "Pod", "over", "status.phase", "Succeeded");
    AUTO_FREE char *over = shell(self, "kubectl exec over -- true");
    AUTO_FREE char *other = shell(self, "kubectl exec deploy/web -c other -- true");
    expect_in(over, "cannot exec into a container in a completed pod; current phase is Succeeded");
    expect_in(other, "container other");
}

/* ---- clients that go ------------------------------------------------------------------------- */

#define AWAIT_NO_PROCESS                                                                           \
    "await sh -c '! kubectl exec deploy/web -- sh -c \"cat /proc/[0-9]*/cmdline\" | tr \"\\0\" "   \
    "\" \" | grep -q \"sleep 4[3]21\"'; echo gone\n"

static void a_killed_client_leaves_no_process(void **state)
{
    AUTO_FREE char *output = shell(*state,
        "kubectl exec deploy/web -- sh -c 'echo begun; sleep 4321 & sleep 4321; true' >out & "
        "pid=$!; await grep -q begun out; kill -9 $pid; " AWAIT_NO_PROCESS);
    expect_in(output, "gone\n");
    assert_null(strstr(output, "in vain"));
}

/* Its leaving is hidden behind bytes that the command does not read. */
static void a_client_killed_while_it_waits_to_write_leaves_no_process(void **state)
{
    AUTO_FREE char *output = shell(*state,
        "head -c 30000000 /dev/zero >data; kubectl exec -i deploy/web -- sh -c 'echo begun; sleep "
        "4321; true' <data >out & pid=$!; await grep -q begun out; sleep 0.5; kill -9 "
        "$pid; " AWAIT_NO_PROCESS);
    expect_in(output, "gone\n");
    assert_null(strstr(output, "in vain"));
}

/* A stopped client, before a command that writes without end. */
static void a_client_that_does_not_read_fills_no_memory(void **state)
{
    enum { MOST_KIB = 100000 };
    AUTO_FREE char *script = xasprintf(
        "mkfifo pipe; kubectl exec deploy/web -- cat /dev/zero >pipe & pid=$!; head -c 1000000 "
        "<pipe >/dev/null & sleep 0.3; kill -STOP $pid; sleep 1; awk '/VmRSS/ {print \"rss=\" $2}' "
        "/proc/%d/status; kill -9 $pid",
        (int)world_env_pid(*state));
    AUTO_FREE char *output = shell(*state, script);
    const char *resident = strstr(output, "rss=");
    expect_in(output, "rss=");
    assert_in_range(strtol(resident + 4, NULL, 10), 1, MOST_KIB);
}

/* ---- attach, run, cp ------------------------------------------------------------------------- */

static void a_client_attaches_to_a_containers_streams(void **state)
{
    world_t *self = *state;
    world_run(self, "echo", "while read line; do echo got $line; done; exit 0",
        "'stdin': true, 'stdinOnce': true,", "'restartPolicy': 'Never',");
    world_await(self, "Pod", "echo", "status.phase", "Running");
    AUTO_FREE char *output = shell(self, "printf 'a\\nb\\n' | kubectl attach -i echo 2>/dev/null");
    assert_string_equal(output, "got a\ngot b\n");
    world_await(self, "Pod", "echo", "status.phase", "Succeeded");
    AUTO_FREE char *log = world_log(self, "echo", false);
    assert_string_equal(log, "got a\ngot b\n");
    AUTO_FREE char *again = shell(self, "kubectl attach echo; kubectl delete pod echo");
    expect_in(again, "cannot attach a container in a completed pod");
}

static void a_pod_is_run_with_input_and_removed(void **state)
{
    AUTO_FREE char *output = shell(*state,
        "echo hello | kubectl run once --image=shop/shell:1 --restart=Never -i --rm --command -- "
        "sh -c 'cat; exit 3'; echo $?; kubectl get pod once");
    expect_in(output, "hello\n");
    expect_in(output, "pod \"once\" deleted");
    expect_in(output, "\n3\n");
    expect_in(output, "pods \"once\" not found");
}

static void files_are_copied_both_ways(void **state)
{
    AUTO_FREE char *output = shell(*state,
        "mkdir -p tree/a; head -c 300000 /dev/urandom >tree/a/b; echo x >tree/c; pod=$(kubectl get "
        "pod -l app=web -o 'jsonpath={.items[0].metadata.name}'); kubectl cp tree $pod:/tmp/tree "
        "&& "
        "kubectl cp $pod:/tmp/tree back && diff -r tree back && echo same; kubectl exec $pod -- rm "
        "-r /tmp/tree");
    expect_in(output, "same\n");
}

/* ---- debug ---------------------------------------------------------------------------------- */

static void a_container_is_added_to_look_at_another(void **state)
{
    world_t *self = *state;
    world_run(self, "looked-at", "exec sleep 5150", "", "'terminationGracePeriodSeconds': 0,");
    world_await(self, "Pod", "looked-at", "status.phase", "Running");
    AUTO_FREE char *output =
        shell(self, "echo 'xargs -0 </proc/1/cmdline; exit 0' | kubectl debug -i looked-at "
                    "--image=shop/shell:1 --target=main -c looker -- sh");
    expect_in(output, "sleep 5150");
    world_await(self, "Pod", "looked-at",
        "status.ephemeralContainerStatuses.0.state.terminated.exitCode", "0");
    AUTO_FREE char *phase = world_value(self, "Pod", "looked-at", "status.phase");
    assert_string_equal(phase, "Running");
    AUTO_FREE char *copied = shell(self,
        "kubectl debug looked-at --copy-to=copied --container=main --image=shop/shell:1 -- "
        "sleep 5152");
    world_await(self, "Pod", "copied", "status.phase", "Running");
    AUTO_FREE char *gone = shell(self, "kubectl delete pod looked-at copied --timeout=60s");
    expect_in(gone, "\"copied\" deleted");
}

/* ---- ports ----------------------------------------------------------------------------------- */

#define FORWARD(what)                                                                              \
    "kubectl port-forward " what " >out 2>&1 & pid=$!; await grep -q '^Forwarding from 127' out; " \
    "port=$(sed -n 's/^Forwarding from 127.0.0.1:\\([0-9]*\\).*/\\1/p' out)\n"

static void a_port_is_forwarded_for_many_connections(void **state)
{
    AUTO_FREE char *output = shell(*state,
        FORWARD("deploy/web :8080") "for i in 1 2 3 4 5 6 7 8; do curl -s http://127.0.0.1:$port/ "
                                    "& done >answers; for i in 1 2 3 4 5 6 7 8; do curl -s "
                                    "http://127.0.0.1:$port/; done; kill $pid; wait; cat answers");
    size_t count = 0;
    for (const char *at = output; (at = strstr(at, " from web-")); at++)
        count++;
    assert_int_equal(count, 16);
}

static void a_services_port_is_that_of_its_pods(void **state)
{
    AUTO_FREE char *output =
        shell(*state, FORWARD("svc/web :80") "curl -s http://127.0.0.1:$port/; kill $pid");
    expect_in(output, " from web-");
}

static void a_port_that_nobody_listens_on_is_told(void **state)
{
    AUTO_FREE char *output = shell(*state,
        FORWARD(
            "deploy/web :81") "curl -s -m 5 http://127.0.0.1:$port/; await grep -q refused out; "
                              "kill $pid 2>/dev/null; cat out");
    expect_in(output, "error forwarding port 81 to pod ");
    expect_in(output, "dial tcp4 127.0.0.1:81: connect: connection refused");
}

/* ---- the test -------------------------------------------------------------------------------- */

static int run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_has_its_streams_and_its_exit_code),
        cmocka_unit_test(a_command_runs_as_the_container_does),
        cmocka_unit_test(a_program_that_is_not_there_is_named),
        cmocka_unit_test(input_goes_in_and_ends),
        cmocka_unit_test(much_goes_both_ways_at_once),
        cmocka_unit_test(a_command_without_input_reads_none),
        cmocka_unit_test(a_terminal_is_one_of_the_pod),
        cmocka_unit_test(a_terminal_has_the_clients_size),
        cmocka_unit_test(a_container_that_is_not_there_is_refused),
        cmocka_unit_test(a_killed_client_leaves_no_process),
        cmocka_unit_test(a_client_killed_while_it_waits_to_write_leaves_no_process),
        cmocka_unit_test(a_client_that_does_not_read_fills_no_memory),
        cmocka_unit_test(a_client_attaches_to_a_containers_streams),
        cmocka_unit_test(a_pod_is_run_with_input_and_removed),
        cmocka_unit_test(files_are_copied_both_ways),
        cmocka_unit_test(a_container_is_added_to_look_at_another),
        cmocka_unit_test(a_port_is_forwarded_for_many_connections),
        cmocka_unit_test(a_services_port_is_that_of_its_pods),
        cmocka_unit_test(a_port_that_nobody_listens_on_is_told),
    };
    if (system("kubectl version --client >/dev/null 2>&1") != 0)
        return SKIPPED;
    return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}

int main(int argc, char **argv)
{
    bool is_spdy = argc > 1 && strcmp(argv[1], "as-user") == 0;
    setenv("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", is_spdy ? "false" : "true", 1);
    setenv("KUBECTL_PORT_FORWARD_WEBSOCKETS", is_spdy ? "false" : "true", 1);
    return world_main(argc, argv, run);
}
