/* Priorities: who gets a place first, and who has to go for it. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

#include "tests/support/cluster_world.h"
#include "tests/support/test.h"

static void add_class(cluster_world_t *world, const char *name, const char *more)
{
    AUTO_FREE char *text = xasprintf("{'metadata':{'name':'%s'}%s}", name, more);
    cluster_world_create(world, "PriorityClass", text);
}

static void add_pod(
    cluster_world_t *world, const char *name, const char *class, const char *cpu, const char *more)
{
    AUTO_FREE char *text = xasprintf(
        "{'metadata':{'name':'%s','labels':{'app':'%s'}},'spec':{'priorityClassName':'%s',%s"
        "'containers':[{'name':'c','image':'nginx','resources':{'requests':{'cpu':'%s'}}}]}}",
        name, name, class, more, cpu);
    cluster_world_create(world, "Pod", text);
    cluster_world_run(world, 10);
}

static const char *node_of(cluster_world_t *world, const char *name)
{
    return object_string(cluster_world_get(world, "Pod", name), "spec.nodeName");
}

/* Three nodes of four cpu, full of pods of low priority, one of which is smaller. */
static cluster_world_t *full_world(void)
{
    cluster_world_t *world = cluster_world_new();
    add_class(world, "low", ",'value':10");
    add_class(world, "middle", ",'value':50");
    add_class(world, "high", ",'value':100");
    add_pod(world, "a", "middle", "4", "");
    add_pod(world, "b", "low", "3", "");
    add_pod(world, "c", "middle", "4", "");
    add_pod(world, "b2", "low", "1", "");
    return world;
}

static void a_pod_gets_the_priority_of_its_class(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    add_class(world, "all", ",'value':7,'globalDefault':true");
    add_class(world, "high", ",'value':100,'preemptionPolicy':'Never'");
    add_pod(world, "x", "high", "1", "");
    cluster_world_create(
        world, "Pod", "{'metadata':{'name':'y'},'spec':{'containers':[{'name':'c','image':'x'}]}}");
    const json_t *pod = cluster_world_get(world, "Pod", "x");
    assert_int_equal(object_integer(pod, "spec.priority", 0), 100);
    assert_string_equal(object_string(pod, "spec.preemptionPolicy"), "Never");
    assert_int_equal(object_integer(cluster_world_get(world, "Pod", "y"), "spec.priority", 0), 7);
}

static void a_class_that_is_not_there_is_refused(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    err_t err = {0};
    json_t *pod = json_pack("{s:{s:s, s:s}, s:{s:s, s:[{s:s, s:s}]}}", "metadata", "name", "x",
        "namespace", "shop", "spec", "priorityClassName", "none", "containers", "name", "c",
        "image", "nginx");
    assert_int_equal(store_create(world->store, kind_find("Pod"), pod, NULL, &err), -ERR_FORBIDDEN);
    assert_string_equal(
        err.text, "pods \"x\" is forbidden: no PriorityClass with name none was found");
}

static void the_cheapest_pods_go(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = full_world();
    AUTO_FREE char *place = xstrdup(node_of(world, "b"));
    add_pod(world, "vip", "high", "2", "");
    cluster_world_run(world, 10);
    assert_string_equal(node_of(world, "vip"), place);
    assert_null(cluster_world_get(world, "Pod", "b"));
    assert_non_null(cluster_world_get(world, "Pod", "b2"));
    AUTO_FREE char *said = xasprintf("Preempted by pod %s on node %s",
        object_uid(cluster_world_get(world, "Pod", "vip")), place);
    assert_int_equal(cluster_world_events(world, "Preempted", said), 1);
    assert_int_equal(cluster_world_events(
                         world, "FailedScheduling", "0/3 nodes are available: 3 Insufficient cpu."),
        1);
}

static void equals_are_not_preempted(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = full_world();
    add_pod(world, "late", "low", "2", "");
    assert_string_equal(node_of(world, "late"), "");
    assert_int_equal(cluster_world_events(world, "FailedScheduling",
                         "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are "
                         "available: 3 No preemption victims found for incoming pod."),
        1);
}

static void a_policy_of_never_waits(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = full_world();
    add_pod(world, "modest", "high", "2", "'preemptionPolicy':'Never',");
    assert_int_equal(cluster_world_events(world, "FailedScheduling",
                         "0/3 nodes are available: 3 Insufficient cpu. preemption: not eligible "
                         "due to preemptionPolicy=Never."),
        1);
}

static void what_preemption_cannot_help_is_counted(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = full_world();
    add_pod(world, "huge", "high", "5", "'nodeSelector':{'kubernetes.io/hostname':'n1'},");
    assert_int_equal(
        cluster_world_events(world, "FailedScheduling",
            "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't match Pod's node "
            "affinity/selector. preemption: 0/3 nodes are available: 1 Insufficient cpu, 2 "
            "Preemption is not helpful for scheduling."),
        1);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 5);
}

static void the_more_important_pod_is_placed_first(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = full_world();
    cluster_world_create(world, "Pod",
        "{'metadata':{'name':'first'},'spec':{'priorityClassName':'low','containers':[{'name':'c',"
        "'image':'nginx','resources':{'requests':{'cpu':'4'}}}]}}");
    cluster_world_create(world, "Pod",
        "{'metadata':{'name':'second'},'spec':{'priorityClassName':'middle','preemptionPolicy':"
        "'Never','containers':[{'name':'c','image':'nginx','resources':{'requests':{'cpu':'4'}}}]}"
        "}");
    cluster_world_run(world, 10);
    store_delete(world->store, kind_find("Pod"), "shop", "a", NULL, NULL);
    cluster_world_run(world, 10);
    assert_string_equal(node_of(world, "first"), "");
    assert_string_not_equal(node_of(world, "second"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pod_gets_the_priority_of_its_class),
        cmocka_unit_test(a_class_that_is_not_there_is_refused),
        cmocka_unit_test(the_cheapest_pods_go),
        cmocka_unit_test(equals_are_not_preempted),
        cmocka_unit_test(a_policy_of_never_waits),
        cmocka_unit_test(what_preemption_cannot_help_is_counted),
        cmocka_unit_test(the_more_important_pod_is_placed_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
