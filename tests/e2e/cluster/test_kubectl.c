/* What an operator does with kubectl, and what the agent's shell can and cannot do. */
#include "tests/e2e/cluster/world.h"

#include "base/auto.h"

#include <stdlib.h>
#include <string.h>

enum { SKIPPED = 77 };

/* ---- kubectl --------------------------------------------------------------------------------- */

static void it_gets_nodes_pods_and_services(void **state)
{
    AUTO_FREE char *nodes = world_kubectl(*state, "get nodes", NULL);
    AUTO_FREE char *pods = world_kubectl(*state, "get pods -o wide", NULL);
    AUTO_FREE char *services = world_kubectl(*state, "get svc,ep", NULL);
    expect_in(nodes, "kind-control-plane   Ready    control-plane");
    expect_in(pods, "1/1     Running   0");
    expect_in(pods, "10.244.1.2");
    expect_in(services, "service/web   ClusterIP");
    expect_in(services, "10.244.1.2:8080,10.244.2.2:8080");
}

static void it_describes_a_pod_from_scheduled_to_started(void **state)
{
    AUTO_FREE char *text = world_kubectl(*state, "describe pods -l app=web", NULL);
    expect_in(text, "Successfully assigned test-shop/web-");
    expect_in(text, "Pulling image \"shop/web:1\"");
    expect_in(text, "Successfully pulled image \"shop/web:1\"");
    expect_in(text, "Started container web");
    expect_in(text, "PodReadyToStartContainers");
    expect_in(text, "http-get http://:http/ready delay=0s timeout=1s period=1s");
}

static void it_reads_logs(void **state)
{
    AUTO_FREE char *all = world_kubectl(*state, "logs deploy/web", NULL);
    AUTO_FREE char *tail = world_kubectl(*state, "logs deploy/web --tail=1 --timestamps", NULL);
    expect_in(all, "listening\n/ready 200\n");
    expect_in(tail, "Z /ready 200\n");
}

static void it_rolls_out_a_new_image(void **state)
{
    AUTO_FREE char *set = world_kubectl(*state, "set image deploy/web web=shop/web:2", NULL);
    AUTO_FREE char *status = world_kubectl(*state, "rollout status deploy/web --timeout=20s", NULL);
    AUTO_FREE char *answer = world_kubectl(
        *state, "get --raw /api/v1/namespaces/test-shop/services/web:http/proxy/", NULL);
    expect_in(status, "successfully rolled out");
    expect_in(answer, "welcome from web-");
}

static void it_restarts_a_rollout(void **state)
{
    AUTO_FREE char *before = world_kubectl(*state, "get pods -l app=web -o name", NULL);
    AUTO_FREE char *restart = world_kubectl(*state, "rollout restart deploy/web", NULL);
    AUTO_FREE char *status = world_kubectl(*state, "rollout status deploy/web --timeout=20s", NULL);
    AUTO_FREE char *after = world_kubectl(*state, "get pods -l app=web -o name", NULL);
    expect_in(status, "successfully rolled out");
    assert_string_not_equal(before, after);
}

static void it_scales(void **state)
{
    AUTO_FREE char *scale = world_kubectl(*state, "scale deploy/web --replicas=4", NULL);
    AUTO_FREE char *status = world_kubectl(*state, "rollout status deploy/web --timeout=20s", NULL);
    AUTO_FREE char *deployment = world_kubectl(*state, "get deploy web", NULL);
    AUTO_FREE char *back = world_kubectl(*state, "scale deploy/web --replicas=2", NULL);
    expect_in(deployment, "4/4");
}

static void it_applies_patches_and_deletes(void **state)
{
    int status = 0;
    AUTO_FREE char *run =
        world_kubectl(*state, "create deployment spare --image=shop/shell:1", NULL);
    AUTO_FREE char *patch = world_kubectl(*state,
        "patch deploy spare -p '{\"spec\":{\"template\":{\"spec\":{"
        "\"terminationGracePeriodSeconds\":0}}}}'",
        NULL);
    AUTO_FREE char *wait = world_kubectl(*state, "rollout status deploy/spare --timeout=20s", NULL);
    AUTO_FREE char *delete = world_kubectl(*state, "delete deploy spare", NULL);
    AUTO_FREE char *get = world_kubectl(*state, "get deploy spare", &status);
    world_await_gone(*state, "ReplicaSet", "spare");
    expect_in(get, "deployments.apps \"spare\" not found");
    assert_int_equal(status, 1);
}

static void a_namespace_goes_with_all_it_holds(void **state)
{
    int status = 0;
    AUTO_FREE char *create = world_kubectl(*state, "create namespace passing", NULL);
    AUTO_FREE char *run =
        world_kubectl(*state, "-n passing create deployment x --image=shop/web:1", NULL);
    AUTO_FREE char *wait =
        world_kubectl(*state, "-n passing rollout status deploy/x --timeout=20s", NULL);
    AUTO_FREE char *delete = world_kubectl(*state, "delete namespace passing --timeout=20s", NULL);
    AUTO_FREE char *pods = world_kubectl(*state, "-n passing get pods", &status);
    expect_in(pods, "No resources found in passing namespace.");
}

/* ---- the agent's shell ------------------------------------------------------------------------
 */

static void the_agent_reaches_services_by_name(void **state)
{
    const env_exec_result_t *result = world_exec(
        *state, "curl -s http://web.test-shop/; curl -s http://web.test-shop.svc:80/", 5000);
    expect_in(result->output, "from web-");
    assert_int_equal(result->exit_code, 0);
}

static void the_agents_kubectl_works(void **state)
{
    const env_exec_result_t *result = world_exec(*state, "kubectl get deploy -A", 20000);
    expect_in(result->output, "test-shop");
    assert_int_equal(result->exit_code, 0);
}

static void the_agent_sees_nothing_of_the_machine(void **state)
{
    const env_exec_result_t *result = world_exec(*state,
        "ls /work /root /home; ls /proc | grep -c '^[0-9]'; cat /etc/shadow; touch /usr/x; "
        "mount -t tmpfs t /mnt; echo \"[$(grep CapEff /proc/self/status)]\"",
        5000);
    assert_null(strstr(result->output, ".ssh"));
    expect_in(result->output, "agent");
    expect_in(result->output, "CapEff:\t0000000000000000]");
    expect_in(result->output, "Read-only file system");
    assert_null(strstr(result->output, "root:*"));
}

static void a_command_ends_at_its_timeout_with_all_it_started(void **state)
{
    const env_exec_result_t *result =
        world_exec(*state, "sleep 97 & nohup sleep 98 & echo begun; sleep 99", 700);
    assert_true(result->timed_out);
    expect_in(result->output, "begun");
    result = world_exec(*state, "ps ax | grep -c 'sleep 9[789]'", 5000);
    assert_string_equal(result->output, "0\n");
}

static void long_output_is_cut_in_the_middle(void **state)
{
    const env_exec_result_t *result = world_exec(*state, "seq 1 100000", 10000);
    assert_in_range(strlen(result->output), 9000, 11000);
    assert_true(result->omitted_bytes > 500000);
    expect_in(result->output, "1\n2\n3\n");
    expect_in(result->output, "\n99999\n100000\n");
}

static void files_are_put_into_the_agents_home(void **state)
{
    world_t *self = *state;
    bus_call_t call = {.target = "cluster",
        .type = &env_put_type,
        .message = &(env_put_t){.env = self->env,
            .path = (char *)"data/a.csv",
            .content = {.bytes = (void *)"x,y\n", .size = 4}}};
    void *reply = NULL;
    assert_int_equal(bus_call(self->bus, &call, &ok_type, &reply, NULL), 0);
    codec_free(&ok_type, reply);
    assert_string_equal(
        world_exec(self, "cat ~/data/a.csv; rm ~/data/a.csv", 5000)->output, "x,y\n");
}

static void files_are_put_nowhere_else(void **state)
{
    world_t *self = *state;
    world_exec(self, "ln -sf /etc ~/trap", 5000);
    const char *const paths[] = {"../x", "/etc/x", "trap/x", "a/../../x"};
    bus_call_t call = {.target = "cluster", .type = &env_put_type};
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        call.message = &(env_put_t){.env = self->env,
            .path = (char *)paths[i],
            .content = {.bytes = (void *)"x", .size = 1}};
        assert_true(bus_call(self->bus, &call, &ok_type, &(void *){NULL}, NULL) < 0);
    }
}

static int run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_gets_nodes_pods_and_services),
        cmocka_unit_test(it_describes_a_pod_from_scheduled_to_started),
        cmocka_unit_test(it_reads_logs),
        cmocka_unit_test(it_rolls_out_a_new_image),
        cmocka_unit_test(it_restarts_a_rollout),
        cmocka_unit_test(it_scales),
        cmocka_unit_test(it_applies_patches_and_deletes),
        cmocka_unit_test(a_namespace_goes_with_all_it_holds),
        cmocka_unit_test(the_agent_reaches_services_by_name),
        cmocka_unit_test(the_agents_kubectl_works),
        cmocka_unit_test(the_agent_sees_nothing_of_the_machine),
        cmocka_unit_test(a_command_ends_at_its_timeout_with_all_it_started),
        cmocka_unit_test(long_output_is_cut_in_the_middle),
        cmocka_unit_test(files_are_put_into_the_agents_home),
        cmocka_unit_test(files_are_put_nowhere_else),
    };
    if (system("kubectl version --client >/dev/null 2>&1") != 0)
        return SKIPPED;
    return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}

int main(int argc, char **argv)
{
    return world_main(argc, argv, run);
}
