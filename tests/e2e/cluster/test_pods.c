/* Pods of a real environment, from bound to gone. */
#include "tests/e2e/cluster/world.h"

#include "base/auto.h"

#include <string.h>

static void nodes_are_ready(void **state)
{
    world_await(*state, "Node", "kind-control-plane", "status.conditions.3.status", "True");
    world_await(*state, "Node", "kind-worker", "status.conditions.3.status", "True");
    world_await(*state, "Node", "kind-worker2", "status.conditions.3.status", "True");
}

static void a_crashing_container_backs_off(void **state)
{
    world_run(*state, "crash", "echo boom; exit 3", "", "");
    world_await(*state, "Pod", "crash", "status.containerStatuses.0.state.waiting.reason",
        "CrashLoopBackOff");
    world_await(*state, "Pod", "crash", "status.containerStatuses.0.restartCount", "2");
    AUTO_FREE char *code = world_value(
        *state, "Pod", "crash", "status.containerStatuses.0.lastState.terminated.exitCode");
    AUTO_FREE char *phase = world_value(*state, "Pod", "crash", "status.phase");
    AUTO_FREE char *log = world_log(*state, "crash", true);
    assert_string_equal(code, "3");
    assert_string_equal(phase, "Running");
    assert_string_equal(log, "boom\n");
}

static void a_signal_is_told_by_its_exit_code(void **state)
{
    world_run(*state, "killed", "sleep 0.1 & kill -9 $! ; wait $!; exit $?", "",
        "'restartPolicy': 'Never',");
    world_await(*state, "Pod", "killed", "status.phase", "Failed");
    world_await(
        *state, "Pod", "killed", "status.containerStatuses.0.state.terminated.exitCode", "137");
}

static void an_unknown_image_is_not_pulled(void **state)
{
    world_apply(*state,
        "{'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': 'nowhere'}, 'spec': "
        "{'containers': [{'name': 'main', 'image': 'shop/nowhere:9'}]}}");
    world_await(*state, "Pod", "nowhere", "status.containerStatuses.0.state.waiting.reason",
        "ErrImagePull");
    world_await(*state, "Pod", "nowhere", "status.containerStatuses.0.state.waiting.message",
        "Back-off pulling image \"shop/nowhere:9\"");
}

static void a_name_that_is_none_is_not_even_tried(void **state)
{
    world_apply(*state,
        "{'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': 'misnamed'}, 'spec': "
        "{'containers': [{'name': 'main', 'image': 'Shop/Web:1'}]}}");
    world_await(*state, "Pod", "misnamed", "status.containerStatuses.0.state.waiting.reason",
        "InvalidImageName");
}

static void a_program_that_is_not_there_is_a_start_error(void **state)
{
    world_apply(*state,
        "{'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': 'absent'}, 'spec': "
        "{'containers': [{'name': 'main', 'image': 'shop/shell:1', 'command': ['nosuch']}]}}");
    world_await(*state, "Pod", "absent", "status.containerStatuses.0.lastState.terminated.reason",
        "StartError");
    AUTO_FREE char *message = world_value(
        *state, "Pod", "absent", "status.containerStatuses.0.lastState.terminated.message");
    expect_in(message, "exec: \"nosuch\": executable file not found in $PATH");
}

static void a_pod_sees_its_configuration(void **state)
{
    world_apply(*state,
        "{'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'colours'}, "
        "'data': {'sky': 'blue'}}");
    world_apply(*state, "{'apiVersion': 'v1', 'kind': 'Secret', 'metadata': {'name': 'keys'}, "
                        "'stringData': {'door': 'sesame'}}");
    world_run(*state, "configured",
        "echo $SKY $DOOR $NODE $SAID $all_sky; cat /colours/sky /keys/door; echo $WEB_SERVICE_PORT",
        "'env': [{'name': 'SKY', 'valueFrom': {'configMapKeyRef': {'name': 'colours', 'key': "
        "'sky'}}}, {'name': 'DOOR', 'valueFrom': {'secretKeyRef': {'name': 'keys', 'key': "
        "'door'}}}, {'name': 'NODE', 'valueFrom': {'fieldRef': {'fieldPath': 'spec.nodeName'}}}, "
        "{'name': 'SAID', 'value': '$(SKY)-$$(SKY)-$(NONE)'}], "
        "'envFrom': [{'prefix': 'all_', 'configMapRef': {'name': 'colours'}}], "
        "'volumeMounts': [{'name': 'c', 'mountPath': '/colours'}, {'name': 'k', 'mountPath': "
        "'/keys', 'readOnly': true}],",
        "'nodeName': 'kind-worker2', 'restartPolicy': 'Never', 'volumes': [{'name': 'c', "
        "'configMap': {'name': 'colours'}}, {'name': 'k', 'secret': {'secretName': 'keys'}}],");
    world_await(*state, "Pod", "configured", "status.phase", "Succeeded");
    AUTO_FREE char *log = world_log(*state, "configured", false);
    assert_string_equal(log, "blue sesame kind-worker2 blue-$(SKY)-$(NONE) blue\nbluesesame80\n");
}

static void a_missing_config_map_is_waited_for(void **state)
{
    world_run(*state, "hopeful", "echo $LATE",
        "'env': [{'name': 'LATE', 'valueFrom': {'configMapKeyRef': {'name': 'late', 'key': "
        "'x'}}}],",
        "'restartPolicy': 'Never',");
    world_await(*state, "Pod", "hopeful", "status.containerStatuses.0.state.waiting.reason",
        "CreateContainerConfigError");
    world_await(*state, "Pod", "hopeful", "status.containerStatuses.0.state.waiting.message",
        "configmap \"late\" not found");
    world_apply(*state, "{'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'late'}, "
                        "'data': {'x': 'better'}}");
    world_await(*state, "Pod", "hopeful", "status.phase", "Succeeded");
}

static void init_containers_run_first_and_in_order(void **state)
{
    world_run(*state, "staged", "cat /w/log", "'volumeMounts': [{'name': 'w', 'mountPath': '/w'}],",
        "'volumes': [{'name': 'w', 'emptyDir': {}}], 'initContainers': [{'name': 'one', 'image': "
        "'shop/shell:1', 'args': ['sleep 0.1; echo one >> /w/log'], 'volumeMounts': [{'name': 'w', "
        "'mountPath': '/w'}]}, {'name': 'two', 'image': 'shop/shell:1', 'args': ['echo two >> "
        "/w/log'], 'volumeMounts': [{'name': 'w', 'mountPath': '/w'}]}], 'restartPolicy': "
        "'Never',");
    world_await(*state, "Pod", "staged", "status.phase", "Succeeded");
    world_await(*state, "Pod", "staged", "status.initContainerStatuses.1.ready", "true");
    AUTO_FREE char *log = world_log(*state, "staged", false);
    assert_string_equal(log, "one\ntwo\n");
}

static void an_unready_pod_gets_no_traffic(void **state)
{
    world_t *self = *state;
    world_apply(self,
        "{'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': 'moody', 'labels': {'app': "
        "'moody'}}, 'spec': {'containers': [{'name': 'web', 'image': 'shop/web:1', "
        "'readinessProbe': {'httpGet': {'path': '/ready', 'port': 8080}, 'periodSeconds': 1, "
        "'failureThreshold': 1}}]}}");
    world_apply(self, "{'apiVersion': 'v1', 'kind': 'Service', 'metadata': {'name': 'moody'}, "
                      "'spec': {'selector': {'app': 'moody'}, 'ports': [{'port': 8080}]}}");
    world_await(self, "Endpoints", "moody", "subsets.0.addresses.0.targetRef.name", "moody");
    AUTO_FREE char *first = world_ask(self, "moody", 8080, "/unready");
    world_await(
        self, "Endpoints", "moody", "subsets.0.notReadyAddresses.0.targetRef.name", "moody");
    AUTO_FREE char *events = world_kubectl(self, "get events", NULL);
    expect_in(events, "Readiness probe failed: HTTP probe failed with statuscode: 503");
    int refused = (int)world_exec(self, "curl -s http://moody.test-shop:8080/", 5000)->exit_code;
    assert_int_equal(refused, 7); /* curl: connection refused */
    AUTO_FREE char *second = world_ask(self, "moody", 8080, "/ready-again");
    world_await(self, "Endpoints", "moody", "subsets.0.addresses.0.targetRef.name", "moody");
}

static void a_sick_container_is_restarted(void **state)
{
    world_t *self = *state;
    world_apply(self,
        "{'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': 'frail'}, 'spec': "
        "{'containers': [{'name': 'web', 'image': 'shop/web:1', "
        "'readinessProbe': {'httpGet': {'path': '/alive', 'port': 8080}, 'periodSeconds': 1}, "
        "'livenessProbe': {'httpGet': {'path': '/alive', 'port': 8080}, 'periodSeconds': 1, "
        "'failureThreshold': 1, 'initialDelaySeconds': 1}}]}}");
    world_await(self, "Pod", "frail", "status.containerStatuses.0.ready", "true");
    AUTO_FREE char *answer = world_ask(self, "frail", 8080, "/sicken");
    world_await(self, "Pod", "frail", "status.containerStatuses.0.restartCount", "1");
    AUTO_FREE char *events = world_kubectl(self, "get events", NULL);
    expect_in(events, "Container web failed liveness probe, will be restarted");
}

static void grace_is_given_and_then_taken(void **state)
{
    world_t *self = *state;
    world_run(self, "stubborn", "trap : TERM; while :; do sleep 0.05; done", "",
        "'terminationGracePeriodSeconds': 1,");
    world_await(self, "Pod", "stubborn", "status.phase", "Running");
    int64_t begun = ev_now(self->stack->ev);
    assert_int_equal(kube_call(self->kube,
                         kube_delete(KUBE("Pod", self->namespace, "stubborn"), -1), NULL, NULL),
        0);
    world_await_gone(self, "Pod", "stubborn");
    assert_in_range(ev_now(self->stack->ev) - begun, 900, 15000);
}

static void a_willing_pod_goes_at_once(void **state)
{
    world_t *self = *state;
    world_run(
        self, "willing", "trap \\'exit 0\\' TERM; echo set; while :; do sleep 0.02; done", "", "");
    world_await(self, "Pod", "willing", "status.phase", "Running");
    world_await_log(self, "willing", "set");
    int64_t begun = ev_now(self->stack->ev);
    assert_int_equal(
        kube_call(self->kube, kube_delete(KUBE("Pod", self->namespace, "willing"), -1), NULL, NULL),
        0);
    world_await_gone(self, "Pod", "willing");
    assert_in_range(ev_now(self->stack->ev) - begun, 0, 15000);
}

static void too_much_memory_is_told_as_such(void **state)
{
    world_t *self = *state;
    if (!strstr(json_string_value(json_object_get(self->features, "cgroups")), "v"))
        skip(); /* without cgroups the limit is on addresses, and the allocation just fails */
    world_run(self, "greedy", "exec tail /dev/zero", "'resources': {'limits': {'memory': '20Mi'}},",
        "'restartPolicy': 'Never',");
    world_await(self, "Pod", "greedy", "status.phase", "Failed");
    world_await(
        self, "Pod", "greedy", "status.containerStatuses.0.state.terminated.reason", "OOMKilled");
}

typedef struct follower {
    world_t *world;
    int lines;
    int dones;
} follower_t;

static void on_line(void *arg, const char *line)
{
    ((follower_t *)arg)->lines += strcmp(line, "tick") == 0 ? 1 : 0;
}

static void on_log_end(void *arg, const kube_answer_t *answer)
{
    ((follower_t *)arg)->dones += answer->err ? 0 : 1;
}

static void a_log_is_followed_to_its_end(void **state)
{
    world_t *self = *state;
    follower_t follower = {.world = self};
    world_run(self, "ticker", "for i in 1 2 3; do sleep 0.1; echo tick; done", "",
        "'restartPolicy': 'Never',");
    world_await(self, "Pod", "ticker", "status.phase", "Running");
    kube_log_t log = {.namespace = self->namespace, .pod = "ticker", .is_following = true};
    (void)kube_follow(self->kube, &log, on_line, on_log_end, &follower);
    bus_stack_await(self->stack, &follower.dones, 1);
    assert_int_equal(follower.lines, 3);
}

static void containers_are_measured_in_cadvisors_names(void **state)
{
    world_t *self = *state;
    world_run(self, "busy", "while :; do :; done", "'resources': {'limits': {'cpu': '100m'}},",
        "'nodeName': 'kind-worker',");
    world_await(self, "Pod", "busy", "status.phase", "Running");
    char *text = NULL;
    assert_int_equal(kube_call_text(self->kube, kube_node_proxy("kind-worker", "/metrics/cadvisor"),
                         &text, NULL),
        0);
    expect_in(text, "container_cpu_usage_seconds_total{container=\"main\"");
    expect_in(text, "container_network_receive_bytes_total{container=\"\"");
    expect_in(text, "image=\"shop/shell:1\",namespace=\"test-shop\",pod=\"busy\"");
    free(text);
    assert_int_equal(
        kube_call(self->kube, kube_delete(KUBE("Pod", self->namespace, "busy"), 0), NULL, NULL), 0);
}

static int run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_are_ready),
        cmocka_unit_test(a_crashing_container_backs_off),
        cmocka_unit_test(a_signal_is_told_by_its_exit_code),
        cmocka_unit_test(an_unknown_image_is_not_pulled),
        cmocka_unit_test(a_name_that_is_none_is_not_even_tried),
        cmocka_unit_test(a_program_that_is_not_there_is_a_start_error),
        cmocka_unit_test(a_pod_sees_its_configuration),
        cmocka_unit_test(a_missing_config_map_is_waited_for),
        cmocka_unit_test(init_containers_run_first_and_in_order),
        cmocka_unit_test(an_unready_pod_gets_no_traffic),
        cmocka_unit_test(a_sick_container_is_restarted),
        cmocka_unit_test(grace_is_given_and_then_taken),
        cmocka_unit_test(a_willing_pod_goes_at_once),
        cmocka_unit_test(too_much_memory_is_told_as_such),
        cmocka_unit_test(a_log_is_followed_to_its_end),
        cmocka_unit_test(containers_are_measured_in_cadvisors_names),
    };
    return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}

int main(int argc, char **argv)
{
    return world_main(argc, argv, run);
}
