/* The scheduler. */
#include "base/auto.h"
#include "services/cluster/env/object.h"

#include "tests/support/cluster_world.h"
#include "tests/support/test.h"

/* A pod "p" with further members of its spec. */
static void want(cluster_world_t *world, const char *more)
{
    json_auto_t *text = json_sprintf("{'metadata':{'name':'p'},'spec':{'containers':[{'name':'c',"
                                     "'image':'nginx','resources':{'requests':{'cpu':'1'}}}]%s}}",
        more);
    cluster_world_create(world, "Pod", json_string_value(text));
    cluster_world_run(world, 1);
}

static const char *node(cluster_world_t *world)
{
    return object_string(cluster_world_get(world, "Pod", "p"), "spec.nodeName");
}

static const char *complaint(cluster_world_t *world)
{
    return object_string(
        object_condition(cluster_world_get(world, "Pod", "p"), "PodScheduled"), "message");
}

static void change_node(cluster_world_t *world, const char *name, const char *path, json_t *value)
{
    const kind_t *kind = kind_find("Node");
    json_t *copy = json_deep_copy(store_get(world->store, kind, NULL, name));
    object_set(copy, path, value);
    assert_int_equal(store_update(world->store, kind, copy, STORE_ALL, NULL), 0);
    cluster_world_run(world, 1);
}

static void pods_are_spread(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();

    cluster_world_deploy(world, "web", "nginx", 3, "");
    cluster_world_run(world, 1);

    const char *nodes[3];
    for (size_t i = 0; i < 3; i++)
        nodes[i] = object_string(cluster_world_nth(world, "Pod", i), "spec.nodeName");
    assert_string_not_equal(nodes[0], nodes[1]);
    assert_string_not_equal(nodes[1], nodes[2]);
    assert_string_not_equal(nodes[0], nodes[2]);
}

static void a_placement_is_told(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();

    want(world, ",'nodeSelector':{'kubernetes.io/hostname':'n2'}");

    assert_string_equal(node(world), "n2");
    assert_int_equal(
        cluster_world_events(world, "Scheduled", "Successfully assigned shop/p to n2"), 1);
}

static void a_selector_that_no_node_matches_is_explained(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();

    want(world, ",'nodeSelector':{'kubernetes.io/hostname':'extra-node'}");

    static const char *const why =
        "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. preemption: "
        "0/3 nodes are available: 3 Preemption is not helpful for scheduling.";
    assert_string_equal(node(world), "");
    assert_string_equal(complaint(world), why);
    assert_int_equal(cluster_world_events(world, "FailedScheduling", why), 1);
    assert_string_equal(
        object_string(
            object_condition(cluster_world_get(world, "Pod", "p"), "PodScheduled"), "reason"),
        "Unschedulable");
}

static void a_pod_may_ask_for_too_much(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();

    cluster_world_create(world, "Pod",
        "{'metadata':{'name':'p'},'spec':{'containers':[{'name':'c','image':'nginx',"
        "'resources':{'requests':{'cpu':'4500m','memory':'9Gi'}}}]}}");
    cluster_world_run(world, 1);

    assert_string_equal(complaint(world),
        "0/3 nodes are available: 3 Insufficient cpu, 3 Insufficient memory. preemption: 0/3 nodes "
        "are available: 3 No preemption victims found for incoming pod.");
}

static void what_others_ask_for_counts(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "Pod",
        "{'metadata':{'name':'big'},'spec':{'nodeSelector':{'kubernetes.io/hostname':'n1'},"
        "'containers':[{'name':'c','image':'nginx','resources':{'requests':{'cpu':'3500m'}}}]}}");
    cluster_world_run(world, 1);

    want(world, ",'nodeSelector':{'kubernetes.io/hostname':'n1'}");
    assert_string_equal(node(world), "");
    store_delete(world->store, kind_find("Pod"), "shop", "big", NULL, NULL);
    cluster_world_run(world, 1);

    assert_string_equal(node(world), "n1");
}

static void a_taint_keeps_pods_off(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    static const char *const names[] = {"n1", "n2", "n3"};
    for (size_t i = 0; i < 3; i++)
        change_node(world, names[i], "spec.taints",
            json_pack(
                "[{s:s, s:s, s:s}]", "key", "dedicated", "value", "gpu", "effect", "NoSchedule"));

    want(world, "");
    assert_string_equal(complaint(world),
        "0/3 nodes are available: 3 node(s) had untolerated taint {dedicated: gpu}. preemption: "
        "0/3 nodes are available: 3 Preemption is not helpful for scheduling.");
    change_node(world, "n3", "spec.taints", json_array());

    assert_string_equal(node(world), "n3");
}

static void a_toleration_lets_a_pod_on(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    change_node(world, "n1", "spec.taints",
        json_pack("[{s:s, s:s, s:s}]", "key", "dedicated", "value", "gpu", "effect", "NoSchedule"));

    want(world, ",'nodeSelector':{'kubernetes.io/hostname':'n1'},"
                "'tolerations':[{'key':'dedicated','operator':'Equal','value':'gpu'}]");

    assert_string_equal(node(world), "n1");
}

static void a_cordoned_node_gets_no_pods(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    change_node(world, "n1", "spec.unschedulable", json_true());

    want(world, ",'nodeSelector':{'kubernetes.io/hostname':'n1'}");

    assert_string_equal(complaint(world),
        "0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) didn't match Pod's node "
        "affinity/selector. preemption: 0/3 nodes are available: 3 Preemption is not helpful for "
        "scheduling.");
}

static void another_schedulers_pods_are_left_alone(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();

    want(world, ",'schedulerName':'mine'");

    assert_string_equal(node(world), "");
    assert_string_equal(complaint(world), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pods_are_spread),
        cmocka_unit_test(a_placement_is_told),
        cmocka_unit_test(a_selector_that_no_node_matches_is_explained),
        cmocka_unit_test(a_pod_may_ask_for_too_much),
        cmocka_unit_test(what_others_ask_for_counts),
        cmocka_unit_test(a_taint_keeps_pods_off),
        cmocka_unit_test(a_toleration_lets_a_pod_on),
        cmocka_unit_test(a_cordoned_node_gets_no_pods),
        cmocka_unit_test(another_schedulers_pods_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
