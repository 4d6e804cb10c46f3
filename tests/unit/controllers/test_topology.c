/* Affinity, anti-affinity and spread between pods. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

#include "tests/support/cluster_world.h"
#include "tests/support/test.h"

#define TERM(app)                                                                                  \
    "[{'labelSelector':{'matchLabels':{'app':'" app "'}},'topologyKey':'kubernetes.io/hostname'}]"
#define REQUIRED "'requiredDuringSchedulingIgnoredDuringExecution':"

static void add_pod(cluster_world_t *world, const char *name, const char *app, const char *more)
{
    AUTO_FREE char *text = xasprintf("{'metadata':{'name':'%s','labels':{'app':'%s'}},'spec':{%s"
                                     "'containers':[{'name':'c','image':'nginx'}]}}",
        name, app, more);
    cluster_world_create(world, "Pod", text);
    cluster_world_run(world, 10);
}

static const char *node_of(cluster_world_t *world, const char *name)
{
    return object_string(cluster_world_get(world, "Pod", name), "spec.nodeName");
}

static void pods_that_avoid_each_other_are_apart(void **state)
{
    static const char apart[] = "'affinity':{'podAntiAffinity':{" REQUIRED TERM("web") "}},";
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    add_pod(world, "w1", "web", apart);
    add_pod(world, "w2", "web", apart);
    add_pod(world, "w3", "web", apart);
    add_pod(world, "w4", "web", apart);
    assert_string_not_equal(node_of(world, "w1"), node_of(world, "w2"));
    assert_string_not_equal(node_of(world, "w2"), node_of(world, "w3"));
    assert_string_equal(node_of(world, "w4"), "");
    assert_int_equal(
        cluster_world_events(world, "FailedScheduling",
            "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules. preemption: "
            "0/3 nodes are available: 3 No preemption victims found for incoming pod."),
        1);
}

static void pods_that_are_there_keep_others_away(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    add_pod(world, "shy", "db", "'affinity':{'podAntiAffinity':{" REQUIRED TERM("web") "}},");
    AUTO_FREE char *taken =
        xasprintf("'nodeSelector':{'kubernetes.io/hostname':'%s'},", node_of(world, "shy"));
    add_pod(world, "w", "web", taken);
    assert_string_equal(node_of(world, "w"), "");
    assert_int_equal(cluster_world_events(world, "FailedScheduling",
                         "0/3 nodes are available: 1 node(s) didn't satisfy existing pods "
                         "anti-affinity rules, 2 node(s) didn't match Pod's node "
                         "affinity/selector. preemption: 0/3 nodes are available: 1 No preemption "
                         "victims found for incoming pod, 2 Preemption is not helpful for "
                         "scheduling."),
        1);
}

static void a_pod_follows_the_one_it_wants_to_be_with(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    add_pod(world, "cache", "cache", "'affinity':{'podAffinity':{" REQUIRED TERM("db") "}},");
    assert_string_equal(node_of(world, "cache"), "");
    assert_int_equal(cluster_world_events(world, "FailedScheduling",
                         "0/3 nodes are available: 3 node(s) didn't match pod affinity rules. "
                         "preemption: 0/3 nodes are available: 3 Preemption is not helpful for "
                         "scheduling."),
        1);
    add_pod(world, "db", "db", "'nodeSelector':{'kubernetes.io/hostname':'n2'},");
    assert_string_equal(node_of(world, "cache"), "n2");
}

static void the_first_of_a_group_may_be_anywhere(void **state)
{
    static const char together[] = "'affinity':{'podAffinity':{" REQUIRED TERM("g") "}},";
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    add_pod(world, "g1", "g", together);
    add_pod(world, "g2", "g", together);
    assert_string_not_equal(node_of(world, "g1"), "");
    assert_string_equal(node_of(world, "g1"), node_of(world, "g2"));
}

static void pods_are_spread_evenly(void **state)
{
    static const char spread[] =
        "'topologySpreadConstraints':[{'maxSkew':1,'topologyKey':'kubernetes.io/hostname',"
        "'whenUnsatisfiable':'DoNotSchedule','labelSelector':{'matchLabels':{'app':'s'}}}],";
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    add_pod(world, "s1", "s", spread);
    add_pod(world, "s2", "s", spread);
    add_pod(world, "s3", "s", spread);
    assert_string_not_equal(node_of(world, "s1"), node_of(world, "s2"));
    assert_string_not_equal(node_of(world, "s1"), node_of(world, "s3"));
    json_t *node = json_deep_copy(store_get(world->store, kind_find("Node"), NULL, "n3"));
    object_set(node, "spec.unschedulable", json_true());
    store_update(world->store, kind_find("Node"), node, STORE_ALL, NULL);
    add_pod(world, "s4", "s", spread);
    add_pod(world, "s5", "s", spread);
    add_pod(world, "s6", "s", spread);
    assert_string_equal(node_of(world, "s6"), "");
    assert_int_equal(cluster_world_events(world, "FailedScheduling",
                         "0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) didn't "
                         "match pod topology spread constraints. preemption: 0/3 nodes are "
                         "available: 1 Preemption is not helpful for scheduling, 2 No preemption "
                         "victims found for incoming pod."),
        1);
}

static void a_preference_decides_among_nodes_that_fit(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    add_pod(world, "p", "p",
        "'affinity':{'nodeAffinity':{'preferredDuringSchedulingIgnoredDuringExecution':[{"
        "'weight':10,'preference':{'matchExpressions':[{'key':'kubernetes.io/hostname',"
        "'operator':'In','values':['n3']}]}}]}},");
    assert_string_equal(node_of(world, "p"), "n3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pods_that_avoid_each_other_are_apart),
        cmocka_unit_test(pods_that_are_there_keep_others_away),
        cmocka_unit_test(a_pod_follows_the_one_it_wants_to_be_with),
        cmocka_unit_test(the_first_of_a_group_may_be_anywhere),
        cmocka_unit_test(pods_are_spread_evenly),
        cmocka_unit_test(a_preference_decides_among_nodes_that_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
