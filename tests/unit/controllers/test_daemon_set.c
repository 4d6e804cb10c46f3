/* DaemonSets: one pod on every fitting node. */
#include "base/auto.h"
#include "services/cluster/env/object.h"

#include "tests/support/cluster_world.h"
#include "tests/support/test.h"

#define SET(image, more, spec)                                                                     \
    "{'metadata':{'name':'agent'},'spec':{'selector':{'matchLabels':{'app':'agent'}},"             \
    "'template':{'metadata':{'labels':{'app':'agent'}},'spec':{" spec                              \
    "'containers':[{'name':'c','image':'" image "'}]}}" more "}}"
#define IMAGE(image)                                                                               \
    "{'spec':{'template':{'spec':{'containers':[{'name':'c','image':'" image "'}]}}}}"

static int64_t status(cluster_world_t *world, const char *path)
{
    return object_integer(cluster_world_get(world, "DaemonSet", "agent"), path, 0);
}

static size_t count_image(cluster_world_t *world, const char *image)
{
    size_t count = 0;
    for (size_t i = 0; cluster_world_nth(world, "Pod", i); i++) {
        const json_t *container =
            json_array_get(object_at(cluster_world_nth(world, "Pod", i), "spec.containers"), 0);
        count += strcmp(object_string(container, "image"), image) == 0;
    }
    return count;
}

static void change_node(cluster_world_t *world, const char *name, const char *path, json_t *value)
{
    json_t *node = json_deep_copy(store_get(world->store, kind_find("Node"), NULL, name));
    object_set(node, path, value);
    assert_int_equal(store_update(world->store, kind_find("Node"), node, STORE_ALL, NULL), 0);
    cluster_world_run(world, 10);
}

static void every_node_gets_a_pod_of_its_own(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "DaemonSet", SET("log", "", ""));
    cluster_world_run(world, 10);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 3);
    assert_int_equal(status(world, "status.desiredNumberScheduled"), 3);
    assert_int_equal(status(world, "status.numberAvailable"), 3);
    assert_int_equal(status(world, "status.updatedNumberScheduled"), 3);
    assert_string_not_equal(object_string(cluster_world_nth(world, "Pod", 0), "spec.nodeName"),
        object_string(cluster_world_nth(world, "Pod", 1), "spec.nodeName"));
}

static void a_selector_picks_the_nodes(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(
        world, "DaemonSet", SET("log", "", "'nodeSelector':{'kubernetes.io/hostname':'n2'},"));
    cluster_world_run(world, 10);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 1);
    assert_string_equal(object_string(cluster_world_nth(world, "Pod", 0), "spec.nodeName"), "n2");
}

static void a_taint_keeps_daemons_away_but_a_cordon_does_not(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    change_node(world, "n1", "spec.taints",
        json_pack("[{s:s, s:s}]", "key", "only", "effect", "NoSchedule"));
    change_node(world, "n2", "spec.unschedulable", json_true());
    cluster_world_create(world, "DaemonSet", SET("log", "", ""));
    cluster_world_run(world, 10);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 2);
    change_node(
        world, "n3", "spec.taints", json_pack("[{s:s, s:s}]", "key", "out", "effect", "NoExecute"));
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 1);
}

static void a_new_template_goes_over_the_nodes_one_by_one(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "DaemonSet", SET("log:1", "", ""));
    cluster_world_run(world, 10);
    cluster_world_change(world, "DaemonSet", "agent", IMAGE("broken"));
    cluster_world_run(world, 10);
    assert_int_equal(count_image(world, "broken"), 1);
    assert_int_equal(count_image(world, "log:1"), 2);
    cluster_world_change(world, "DaemonSet", "agent", IMAGE("log:2"));
    cluster_world_run(world, 10);
    assert_int_equal(count_image(world, "log:2"), 3);
    assert_int_equal(cluster_world_count(world, "ControllerRevision", "shop"), 3);
}

static void a_surge_starts_the_new_pod_before_the_old_one_goes(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "DaemonSet",
        SET("log:1", ",'updateStrategy':{'rollingUpdate':{'maxSurge':1,'maxUnavailable':0}}", ""));
    cluster_world_run(world, 10);
    cluster_world_change(world, "DaemonSet", "agent", IMAGE("broken"));
    cluster_world_run(world, 10);
    assert_int_equal(count_image(world, "broken"), 1);
    assert_int_equal(count_image(world, "log:1"), 3);
    assert_int_equal(status(world, "status.numberAvailable"), 3);
    cluster_world_change(world, "DaemonSet", "agent", IMAGE("log:2"));
    cluster_world_run(world, 10);
    assert_int_equal(count_image(world, "log:2"), 3);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 3);
}

static void a_failed_daemon_is_replaced(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "DaemonSet", SET("log", "", ""));
    cluster_world_run(world, 10);
    cluster_world_change(world, "Pod", object_name(cluster_world_nth(world, "Pod", 0)),
        "{'status':{'phase':'Failed'}}");
    cluster_world_run(world, 10);
    assert_int_equal(cluster_world_events(world, "FailedDaemonPod", NULL), 1);
    assert_int_equal(status(world, "status.numberReady"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_node_gets_a_pod_of_its_own),
        cmocka_unit_test(a_selector_picks_the_nodes),
        cmocka_unit_test(a_taint_keeps_daemons_away_but_a_cordon_does_not),
        cmocka_unit_test(a_new_template_goes_over_the_nodes_one_by_one),
        cmocka_unit_test(a_surge_starts_the_new_pod_before_the_old_one_goes),
        cmocka_unit_test(a_failed_daemon_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
