/* The life of containers: hooks, sidecars, probes, identity, last words, deadlines. */
#include "tests/e2e/cluster/world.h"

#include "base/auto.h"

#include <string.h>

static void expect_at(world_t *self, const char *name, const char *path, const char *expected)
{
    AUTO_FREE char *value = world_value(self, "Pod", name, path);
    assert_string_equal(value, expected);
}

static void remove_pod(world_t *self, const char *name)
{
    assert_int_equal(
        kube_call(self->kube, kube_delete(KUBE("Pod", self->namespace, name), -1), NULL, NULL), 0);
    world_await_gone(self, "Pod", name);
}

static void hooks_run_at_both_ends(void **state)
{
    world_t *self = *state;
    world_apply(self,
        "{'apiVersion': 'v1', 'kind': 'PersistentVolumeClaim', 'metadata': {'name': 'hooks'}, "
        "'spec': {'accessModes': ['ReadWriteOnce'], 'resources': {'requests': {'storage': "
        "'1Mi'}}}}");
    world_run(self, "hooked",
        "trap \\'echo term >> /w/l; exit 0\\' TERM; echo main >> /w/l; "
        "while :; do sleep 0.02; done",
        "'volumeMounts': [{'name': 'w', 'mountPath': '/w'}], 'lifecycle': {'postStart': {'exec': "
        "{'command': ['sh', '-c', 'until test -s /w/l; do sleep 0.01; done; echo post >> /w/l']}}, "
        "'preStop': {'exec': {'command': ['sh', '-c', 'echo pre >> /w/l']}}},",
        "'volumes': [{'name': 'w', 'persistentVolumeClaim': {'claimName': 'hooks'}}],");
    world_await(self, "Pod", "hooked", "status.phase", "Running");
    remove_pod(self, "hooked");
    world_run(self, "witness", "cat /w/l", "'volumeMounts': [{'name': 'w', 'mountPath': '/w'}],",
        "'restartPolicy': 'Never', 'volumes': [{'name': 'w', 'persistentVolumeClaim': "
        "{'claimName': 'hooks'}}],");
    world_await(self, "Pod", "witness", "status.phase", "Succeeded");
    AUTO_FREE char *log = world_log(self, "witness", false);
    assert_string_equal(log, "main\npost\npre\nterm\n");
}

static void a_failed_post_start_hook_restarts_the_container(void **state)
{
    world_t *self = *state;
    world_run(self, "unhooked", "sleep 1000",
        "'lifecycle': {'postStart': {'exec': {'command': ['false']}}},",
        "'terminationGracePeriodSeconds': 0,");
    world_await(self, "Pod", "unhooked", "status.containerStatuses.0.restartCount", "1");
    AUTO_FREE char *events = world_kubectl(self, "get events", NULL);
    expect_in(events, "FailedPostStartHook");
    expect_in(events, "PostStartHook failed");
    remove_pod(self, "unhooked");
}

static void a_sidecar_starts_before_and_ends_after(void **state)
{
    world_t *self = *state;
    world_run(self, "escorted", "cat /w/l; sleep 0.2",
        "'volumeMounts': [{'name': 'w', 'mountPath': '/w'}],",
        "'restartPolicy': 'Never', 'volumes': [{'name': 'w', 'emptyDir': {}}], 'initContainers': "
        "[{'name': 'side', 'image': 'shop/shell:1', 'restartPolicy': 'Always', 'args': ['trap "
        "\\'exit 0\\' TERM; sleep 0.1; echo side >> /w/l; while :; do sleep 0.02; done'], "
        "'startupProbe': {'exec': {'command': ['test', '-s', '/w/l']}, 'periodSeconds': 1}, "
        "'volumeMounts': [{'name': 'w', 'mountPath': '/w'}]}, {'name': 'then', 'image': "
        "'shop/shell:1', 'args': ['echo then >> /w/l'], 'volumeMounts': [{'name': 'w', "
        "'mountPath': '/w'}]}],");
    world_await(self, "Pod", "escorted", "status.phase", "Succeeded");
    AUTO_FREE char *log = world_log(self, "escorted", false);
    assert_string_equal(log, "side\nthen\n");
    world_await(
        self, "Pod", "escorted", "status.initContainerStatuses.0.state.terminated.exitCode", "0");
}

static void a_sidecar_is_restarted_and_counted(void **state)
{
    world_t *self = *state;
    world_run(self, "flanked", "sleep 1000", "",
        "'terminationGracePeriodSeconds': 0, 'initContainers': [{'name': 'side', 'image': "
        "'shop/shell:1', 'restartPolicy': 'Always', 'args': ['test -e /data/x || sleep 0.1; exit "
        "1']}],");
    world_await(self, "Pod", "flanked", "status.phase", "Running");
    world_await(self, "Pod", "flanked", "status.initContainerStatuses.0.restartCount", "1");
    AUTO_FREE char *pods = world_kubectl(self, "get pod flanked", NULL);
    expect_in(pods, "/2 ");
    remove_pod(self, "flanked");
}

static void last_words_are_kept(void **state)
{
    world_t *self = *state;
    world_run(self, "wordy", "echo it broke > /dev/termination-log; exit 4", "",
        "'restartPolicy': 'Never',");
    world_run(self, "loud", "echo first; echo out of luck; exit 5",
        "'terminationMessagePolicy': 'FallbackToLogsOnError',", "'restartPolicy': 'Never',");
    world_await(self, "Pod", "wordy", "status.phase", "Failed");
    world_await(self, "Pod", "loud", "status.phase", "Failed");
    expect_at(self, "wordy", "status.containerStatuses.0.state.terminated.message", "it broke\n");
    expect_at(self, "loud", "status.containerStatuses.0.state.terminated.message",
        "first\nout of luck\n");
}

static void a_container_is_who_it_is_told_to_be(void **state)
{
    world_t *self = *state;
    bool is_root = strcmp(json_string_value(json_object_get(self->features, "user")), "root") == 0;
    world_run(self, "nobody",
        "id -u; id -G; touch /x; touch /v/y && stat -c %g /v/y; cat /proc/self/status",
        "'securityContext': {'readOnlyRootFilesystem': true, 'allowPrivilegeEscalation': false, "
        "'capabilities': {'drop': ['ALL']}}, 'volumeMounts': [{'name': 'v', 'mountPath': '/v'}],",
        "'restartPolicy': 'Never', 'securityContext': {'runAsUser': 1000, 'runAsGroup': 3000, "
        "'fsGroup': 2000, 'runAsNonRoot': true}, 'volumes': [{'name': 'v', 'emptyDir': {}}],");
    world_await(self, "Pod", "nobody", "status.phase", "Succeeded");
    AUTO_FREE char *log = world_log(self, "nobody", false);
    expect_in(log, "/x': Read-only file system");
    expect_in(log, "NoNewPrivs:\t1");
    expect_in(log, "CapBnd:\t0000000000000000");
    if (is_root) { /* in a user namespace there is one user only */
        expect_in(log, "1000\n3000 2000\n");
        expect_in(log, "\n2000\n");
    }
}

static void root_is_refused_where_it_must_not_be(void **state)
{
    world_t *self = *state;
    world_run(self, "rooted", "true", "'securityContext': {'runAsNonRoot': true},", "");
    world_await(self, "Pod", "rooted", "status.containerStatuses.0.state.waiting.reason",
        "CreateContainerConfigError");
    AUTO_FREE char *message =
        world_value(self, "Pod", "rooted", "status.containerStatuses.0.state.waiting.message");
    expect_in(message, "container has runAsNonRoot and image will run as root (pod: \"rooted_");
    remove_pod(self, "rooted");
}

static void a_pod_knows_itself_and_its_services(void **state)
{
    world_t *self = *state;
    world_run(self, "aware",
        "echo $CPU $MEM $APP $IP; echo $WEB_PORT; echo $KUBERNETES_PORT_443_TCP",
        "'resources': {'limits': {'cpu': '1500m', 'memory': '64Mi'}}, 'env': [{'name': 'CPU', "
        "'valueFrom': {'resourceFieldRef': {'resource': 'limits.cpu'}}}, {'name': 'MEM', "
        "'valueFrom': {'resourceFieldRef': {'resource': 'limits.memory', 'divisor': '1Mi'}}}, "
        "{'name': 'APP', 'valueFrom': {'fieldRef': {'fieldPath': "
        "'metadata.labels[\\u0027app\\u0027]'}}}, "
        "{'name': 'IP', 'valueFrom': {'fieldRef': {'fieldPath': 'status.hostIP'}}}],",
        "'nodeName': 'kind-worker', 'restartPolicy': 'Never',");
    world_await(self, "Pod", "aware", "status.phase", "Succeeded");
    AUTO_FREE char *log = world_log(self, "aware", false);
    expect_in(log, "2 64 aware 172.18.0.3\ntcp://10.");
    expect_in(log, ":80\ntcp://10.96.0.1:443\n");
}

static void a_pod_past_its_deadline_fails(void **state)
{
    world_t *self = *state;
    world_run(self, "tardy", "sleep 1000", "", "'activeDeadlineSeconds': 1,");
    world_await(self, "Pod", "tardy", "status.phase", "Failed");
    expect_at(self, "tardy", "status.reason", "DeadlineExceeded");
}

static void a_deletion_can_be_hurried(void **state)
{
    world_t *self = *state;
    world_run(self, "slow", "trap : TERM; while :; do sleep 0.05; done", "",
        "'terminationGracePeriodSeconds': 600,");
    world_await(self, "Pod", "slow", "status.phase", "Running");
    AUTO_FREE char *first = world_kubectl(self, "delete pod slow --wait=false", NULL);
    AUTO_FREE char *second = world_kubectl(self, "delete pod slow --grace-period=1", NULL);
    world_await_gone(self, "Pod", "slow");
}

static void set_node(world_t *self, const char *node, bool is_running)
{
    bus_call_t call = {.target = "cluster",
        .type = &env_node_type,
        .message = &(env_node_t){.env = self->env, .node = (char *)node, .running = is_running},
        .timeout_ms = 20000};
    void *reply = NULL;
    assert_int_equal(bus_call(self->bus, &call, &ok_type, &reply, &self->err), 0);
    codec_free(&ok_type, reply);
}

/* How the cluster takes the silence is for the controllers' tests: it lasts 40 s. */
static void a_stopped_kubelet_starts_nothing_until_it_works_again(void **state)
{
    world_t *self = *state;
    set_node(self, "kind-worker2", false);
    world_run(
        self, "stranded", "echo here", "", "'nodeName': 'kind-worker2', 'restartPolicy': 'Never',");
    bus_stack_run_for(self->stack, 500);
    expect_at(self, "stranded", "status.phase", "Pending");
    set_node(self, "kind-worker2", true);
    world_await(self, "Pod", "stranded", "status.phase", "Succeeded");
    AUTO_FREE char *leases = world_kubectl(self, "get leases -n kube-node-lease", NULL);
    expect_in(leases, "kind-worker2         kind-worker2");
}

static int run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hooks_run_at_both_ends),
        cmocka_unit_test(a_failed_post_start_hook_restarts_the_container),
        cmocka_unit_test(a_sidecar_starts_before_and_ends_after),
        cmocka_unit_test(a_sidecar_is_restarted_and_counted),
        cmocka_unit_test(last_words_are_kept),
        cmocka_unit_test(a_container_is_who_it_is_told_to_be),
        cmocka_unit_test(root_is_refused_where_it_must_not_be),
        cmocka_unit_test(a_pod_knows_itself_and_its_services),
        cmocka_unit_test(a_pod_past_its_deadline_fails),
        cmocka_unit_test(a_deletion_can_be_hurried),
        cmocka_unit_test(a_stopped_kubelet_starts_nothing_until_it_works_again),
    };
    return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}

int main(int argc, char **argv)
{
    return world_main(argc, argv, run);
}
