/* Volumes of pods: what they hold, for how long, and what is said when they cannot be had. */
#include "tests/e2e/cluster/world.h"

#include "base/auto.h"
#include "base/mem.h"

#include <string.h>

/* A pod that ends; what its script printed. */
static char *output_of(world_t *self, const char *name, const char *script,
    const char *container_more, const char *spec_more)
{
    AUTO_FREE char *more = xasprintf("'restartPolicy': 'Never', %s", spec_more);
    world_run(self, name, script, container_more, more);
    world_await(self, "Pod", name, "status.phase", "Succeeded");
    return world_log(self, name, false);
}

static void expect_event(world_t *self, const char *text)
{
    for (int i = 0; i < 100; i++) {
        AUTO_FREE char *events = world_kubectl(self, "get events", NULL);
        if (strstr(events, text))
            return;
        bus_stack_run_for(self->stack, 100);
    }
    AUTO_FREE char *events = world_kubectl(self, "get events", NULL);
    expect_in(events, text);
}

static void claim(world_t *self, const char *name, const char *more)
{
    AUTO_FREE char *json = xasprintf(
        "{'apiVersion': 'v1', 'kind': 'PersistentVolumeClaim', 'metadata': {'name': '%s'}, 'spec': "
        "{'accessModes': ['ReadWriteOnce'], 'resources': {'requests': {'storage': '64Mi'}}%s}}",
        name, more);
    world_apply(self, json);
}

static void a_claim_keeps_its_data_from_pod_to_pod(void **state)
{
    static const char mounts[] = "'volumeMounts': [{'name': 'd', 'mountPath': '/keep'}],";
    static const char volumes[] =
        "'volumes': [{'name': 'd', 'persistentVolumeClaim': {'claimName': 'data'}}],";
    world_t *self = *state;
    claim(self, "data", "");
    expect_event(self, "waiting for first consumer to be created before binding");
    AUTO_FREE char *first =
        output_of(self, "writer", "echo kept > /keep/file; df -m /keep | tail -1", mounts, volumes);
    AUTO_FREE char *second = output_of(self, "reader", "cat /keep/file", mounts, volumes);
    AUTO_FREE char *claims = world_kubectl(self, "get pvc data", NULL);
    AUTO_FREE char *classes = world_kubectl(self, "get sc", NULL);
    AUTO_FREE char *volume = world_kubectl(self, "get pv", NULL);
    assert_string_equal(second, "kept\n");
    expect_in(first, "64");
    expect_in(claims, "Bound");
    expect_in(claims, "64Mi       RWO            standard");
    expect_in(volume, "Delete           Bound");
    expect_in(volume, "test-shop/data");
    expect_in(classes, "standard (default)   rancher.io/local-path   Delete          "
                       "WaitForFirstConsumer   false");
}

static void a_claim_in_use_is_protected(void **state)
{
    world_t *self = *state;
    claim(self, "used", "");
    world_run(self, "user", "sleep 1000", "'volumeMounts': [{'name': 'd', 'mountPath': '/d'}],",
        "'terminationGracePeriodSeconds': 0, 'volumes': [{'name': 'd', 'persistentVolumeClaim': "
        "{'claimName': 'used'}}],");
    world_await(self, "Pod", "user", "status.phase", "Running");
    AUTO_FREE char *removal = world_kubectl(self, "delete pvc used --wait=false", NULL);
    AUTO_FREE char *claims = world_kubectl(self, "get pvc used", NULL);
    expect_in(claims, "Terminating");
    AUTO_FREE char *second = world_kubectl(self, "delete pod user", NULL);
    world_await_gone(self, "PersistentVolumeClaim", "used");
}

static void mounted_configuration_follows_its_source(void **state)
{
    world_t *self = *state;
    world_apply(self, "{'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'live'}, "
                      "'data': {'a': 'one', 'b': 'two'}}");
    world_run(self, "watcher",
        "cat /c/a /f; ls -A /c; until grep -q three /c/a; do sleep 0.05; done; cat /c/a /f",
        "'volumeMounts': [{'name': 'c', 'mountPath': '/c'}, {'name': 'c', 'mountPath': '/f', "
        "'subPath': 'a'}],",
        "'restartPolicy': 'Never', 'volumes': [{'name': 'c', 'configMap': {'name': 'live'}}],");
    world_await(self, "Pod", "watcher", "status.phase", "Running");
    world_await_log(self, "watcher", "..data");
    AUTO_FREE char *change =
        world_kubectl(self, "patch cm live -p '{\"data\":{\"a\":\"three\"}}'", NULL);
    world_await(self, "Pod", "watcher", "status.phase", "Succeeded");
    AUTO_FREE char *log = world_log(self, "watcher", false);
    expect_in(log, "oneone");
    expect_in(log, "..data\na\nb\n");
    expect_in(log, "threeone"); /* a subPath is what it was at the start */
}

static void files_have_paths_and_modes(void **state)
{
    world_t *self = *state;
    world_apply(self, "{'apiVersion': 'v1', 'kind': 'Secret', 'metadata': {'name': 'modes'}, "
                      "'stringData': {'k': 'v', 'l': 'w'}}");
    AUTO_FREE char *log = output_of(self, "moded",
        "cd /s; stat -Lc %a:%n deep/k l; touch l; cat /p/deep/who /p/x; cat /d/cpu /d/labels",
        "'resources': {'limits': {'cpu': '250m'}}, 'volumeMounts': [{'name': 's', 'mountPath': "
        "'/s'}, {'name': 'p', 'mountPath': '/p'}, {'name': 'd', 'mountPath': '/d'}],",
        "'volumes': [{'name': 's', 'secret': {'secretName': 'modes', 'defaultMode': 256, 'items': "
        "[{'key': 'k', 'path': 'deep/k', 'mode': 420}, {'key': 'l', 'path': 'l'}]}}, {'name': 'p', "
        "'projected': {'sources': [{'downwardAPI': {'items': [{'path': 'deep/who', 'fieldRef': "
        "{'fieldPath': 'metadata.name'}}]}}, {'secret': {'name': 'modes', 'items': [{'key': 'k', "
        "'path': 'x'}]}}]}}, {'name': 'd', 'downwardAPI': {'items': [{'path': 'cpu', "
        "'resourceFieldRef': {'containerName': 'main', 'resource': 'limits.cpu', 'divisor': "
        "'1m'}}, {'path': 'labels', 'fieldRef': {'fieldPath': 'metadata.labels'}}]}}],");
    expect_in(log, "644:deep/k\n400:l\n");
    expect_in(log, "Read-only file system");
    expect_in(log, "modedv");
    expect_in(log, "250app=\"moded\"");
}

static void a_host_path_is_its_nodes_own(void **state)
{
    static const char mounts[] = "'volumeMounts': [{'name': 'h', 'mountPath': '/h'}],";
    static const char here[] = "'nodeName': 'kind-worker', 'volumes': [{'name': 'h', 'hostPath': "
                               "{'path': '/etc', 'type': 'DirectoryOrCreate'}}],";
    static const char there[] = "'nodeName': 'kind-worker2', 'volumes': [{'name': 'h', 'hostPath': "
                                "{'path': '/etc'}}],";
    world_t *self = *state;
    AUTO_FREE char *first = output_of(self, "host-a", "ls -A /h; echo x > /h/mark", mounts, here);
    AUTO_FREE char *second = output_of(self, "host-b", "ls -A /h", mounts, here);
    AUTO_FREE char *third = output_of(self, "host-c", "ls -A /h", mounts, there);
    assert_string_equal(first, "");
    assert_string_equal(second, "mark\n");
    assert_string_equal(third, "");
}

static void what_cannot_be_mounted_is_told(void **state)
{
    static const char mounts[] = "'volumeMounts': [{'name': 'v', 'mountPath': '/v'}],";
    world_t *self = *state;
    world_run(self, "no-map", "true", mounts,
        "'volumes': [{'name': 'v', 'configMap': {'name': 'nowhere'}}],");
    world_run(self, "no-folder", "true", mounts,
        "'volumes': [{'name': 'v', 'hostPath': {'path': '/nowhere', 'type': 'Directory'}}],");
    expect_event(
        self, "MountVolume.SetUp failed for volume \"v\" : configmap \"nowhere\" not found");
    expect_event(self, "hostPath type check failed: /nowhere is not a directory");
    world_await(self, "Pod", "no-map", "status.containerStatuses.0.state.waiting.reason",
        "ContainerCreating");
    AUTO_FREE char *optional = output_of(self, "may-lack", "ls -A /v | wc -l", mounts,
        "'volumes': [{'name': 'v', 'configMap': {'name': 'nowhere', 'optional': true}}],");
    assert_string_equal(optional, "2\n"); /* ..data and what it leads to */
}

static void a_volume_in_memory_is_as_large_as_it_may_be(void **state)
{
    AUTO_FREE char *log = output_of(*state, "small",
        "head -c 3000000 /dev/zero > /m/x; stat -c %s /m/x; echo ok > /tmp/y",
        "'volumeMounts': [{'name': 'm', 'mountPath': '/m'}],",
        "'volumes': [{'name': 'm', 'emptyDir': {'medium': 'Memory', 'sizeLimit': '1Mi'}}],");
    expect_in(log, "No space left on device");
    expect_in(log, "1048576");
}

static void who_exceeds_an_empty_dir_is_evicted(void **state)
{
    world_t *self = *state;
    world_run(self, "hoarder", "head -c 3000000 /dev/zero > /e/x; sleep 1000",
        "'volumeMounts': [{'name': 'e', 'mountPath': '/e'}],",
        "'volumes': [{'name': 'e', 'emptyDir': {'sizeLimit': '1Mi'}}],");
    world_await(self, "Pod", "hoarder", "status.phase", "Failed");
    AUTO_FREE char *reason = world_value(self, "Pod", "hoarder", "status.reason");
    AUTO_FREE char *message = world_value(self, "Pod", "hoarder", "status.message");
    assert_string_equal(reason, "Evicted");
    expect_in(message, "Usage of EmptyDir volume \"e\" exceeds the limit \"1Mi\".");
}

static int run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_claim_keeps_its_data_from_pod_to_pod),
        cmocka_unit_test(a_claim_in_use_is_protected),
        cmocka_unit_test(mounted_configuration_follows_its_source),
        cmocka_unit_test(files_have_paths_and_modes),
        cmocka_unit_test(a_host_path_is_its_nodes_own),
        cmocka_unit_test(what_cannot_be_mounted_is_told),
        cmocka_unit_test(a_volume_in_memory_is_as_large_as_it_may_be),
        cmocka_unit_test(who_exceeds_an_empty_dir_is_evicted),
    };
    return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}

int main(int argc, char **argv)
{
    return world_main(argc, argv, run);
}
