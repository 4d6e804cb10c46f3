/* Nodes that fall silent, and what taints do. */
#include "base/auto.h"
#include "services/cluster/env/object.h"

#include "tests/support/cluster_world.h"
#include "tests/support/test.h"

enum { SECOND = 1000 };

/* n1 has conditions and a lease, as a kubelet makes them. */
static cluster_world_t *new_world(void)
{
    cluster_world_t *world = cluster_world_new();
    const kind_t *kind = kind_find("Node");
    json_t *node = json_deep_copy(store_get(world->store, kind, NULL, "n1"));
    object_set(node, "status.conditions",
        json_pack(
            "[{s:s, s:s, s:s}]", "type", "Ready", "status", "True", "reason", "KubeletReady"));
    assert_int_equal(store_update(world->store, kind, node, STORE_ALL, NULL), 0);
    assert_int_equal(store_create(world->store, kind_find("Namespace"),
                         json_pack("{s:{s:s}}", "metadata", "name", "kube-node-lease"), NULL, NULL),
        0);
    assert_int_equal(store_create(world->store, kind_find("Lease"),
                         json_pack("{s:{s:s, s:s}, s:{s:s}}", "metadata", "name", "n1", "namespace",
                             "kube-node-lease", "spec", "holderIdentity", "n1"),
                         NULL, NULL),
        0);
    cluster_world_run(world, 1);
    return world;
}

static void renew(cluster_world_t *world)
{
    const kind_t *kind = kind_find("Lease");
    json_t *lease = object_copy(store_get(world->store, kind, "kube-node-lease", "n1"), "spec");
    object_set(lease, "spec.renewTime", json_sprintf("%lld", (long long)ev_now(world->ev)));
    assert_int_equal(store_update(world->store, kind, lease, STORE_ALL, NULL), 0);
}

static void pod(cluster_world_t *world, const char *more)
{
    json_auto_t *text = json_sprintf("{'metadata':{'name':'p'},'spec':{'nodeName':'n1',"
                                     "'containers':[{'name':'c','image':'nginx'}]%s}}",
        more);
    cluster_world_create(world, "Pod", json_string_value(text));
    cluster_world_run(world, 1);
}

static const char *ready(cluster_world_t *world, const char *kind, const char *name)
{
    return object_string(object_condition(cluster_world_get(world, kind, name), "Ready"), "status");
}

static bool has_taint(cluster_world_t *world, const char *key, const char *effect)
{
    size_t i;
    json_t *taint;
    json_array_foreach(object_at(cluster_world_get(world, "Node", "n1"), "spec.taints"), i, taint)
    {
        if (strcmp(object_string(taint, "key"), key) == 0
            && strcmp(object_string(taint, "effect"), effect) == 0)
            return true;
    }
    return false;
}

static void a_node_that_renews_its_lease_stays_ready(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = new_world();

    cluster_world_run(world, 30 * SECOND);
    renew(world);
    cluster_world_run(world, 35 * SECOND);

    assert_string_equal(ready(world, "Node", "n1"), "True");
}

static void a_silent_node_is_unknown_after_forty_seconds(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = new_world();
    pod(world, "");

    cluster_world_run(world, 39 * SECOND);
    assert_string_equal(ready(world, "Node", "n1"), "True");
    cluster_world_run(world, 7 * SECOND);

    assert_string_equal(ready(world, "Node", "n1"), "Unknown");
    assert_string_equal(ready(world, "Pod", "p"), "False");
    assert_true(has_taint(world, "node.kubernetes.io/unreachable", "NoExecute"));
    assert_true(has_taint(world, "node.kubernetes.io/unreachable", "NoSchedule"));
    assert_int_equal(cluster_world_events(world, "NodeNotReady", "Node is not ready"), 1);
}

static void its_pods_are_evicted_after_five_minutes(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = new_world();
    pod(world, "");

    cluster_world_run(world, 330 * SECOND);
    assert_non_null(cluster_world_get(world, "Pod", "p"));
    cluster_world_run(world, 30 * SECOND);

    assert_null(cluster_world_get(world, "Pod", "p")); /* the world's kubelet runs on */
    assert_int_equal(
        cluster_world_events(world, "TaintManagerEviction", "Marking for deletion Pod shop/p"), 1);
}

static void a_node_that_comes_back_keeps_its_pods(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = new_world();
    pod(world, "");
    cluster_world_run(world, 100 * SECOND);

    renew(world);
    cluster_world_change(world, "Node", "n1",
        "{'status':{'conditions':[{'type':'Ready','status':'True','reason':'KubeletReady'}]}}");
    cluster_world_run(world, 1);
    assert_false(has_taint(world, "node.kubernetes.io/unreachable", "NoExecute"));
    assert_int_equal(
        cluster_world_events(world, "TaintManagerEviction", "Cancelling deletion of Pod shop/p"),
        1);
}

static void a_cordoned_node_is_tainted(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = new_world();

    cluster_world_change(world, "Node", "n1", "{'spec':{'unschedulable':true}}");
    cluster_world_run(world, 1);
    assert_true(has_taint(world, "node.kubernetes.io/unschedulable", "NoSchedule"));

    cluster_world_change(world, "Node", "n1", "{'spec':{'unschedulable':false}}");
    cluster_world_run(world, 1);
    assert_false(has_taint(world, "node.kubernetes.io/unschedulable", "NoSchedule"));
}

static void a_taint_drives_out_who_does_not_tolerate_it(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = new_world();
    pod(world, "");

    cluster_world_change(
        world, "Node", "n1", "{'spec':{'taints':[{'key':'broken','effect':'NoExecute'}]}}");
    cluster_world_run(world, 2);

    assert_null(cluster_world_get(world, "Pod", "p"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_that_renews_its_lease_stays_ready),
        cmocka_unit_test(a_silent_node_is_unknown_after_forty_seconds),
        cmocka_unit_test(its_pods_are_evicted_after_five_minutes),
        cmocka_unit_test(a_node_that_comes_back_keeps_its_pods),
        cmocka_unit_test(a_cordoned_node_is_tainted),
        cmocka_unit_test(a_taint_drives_out_who_does_not_tolerate_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
