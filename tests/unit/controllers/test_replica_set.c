/* Replica sets. */
#include "base/auto.h"
#include "services/cluster/env/controllers/pods.h"
#include "services/cluster/env/object.h"

#include "tests/support/cluster_world.h"
#include "tests/support/test.h"

#define SET                                                                                        \
    "{'metadata':{'name':'s'},'spec':{'replicas':2,'selector':{'matchLabels':{'app':'s'}},"        \
    "'template':{'metadata':{'labels':{'app':'s'}},'spec':{'containers':[{'name':'c',"             \
    "'image':'nginx'}]}}}}"

static void a_pod_that_is_deleted_is_replaced(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "ReplicaSet", SET);
    cluster_world_run(world, 1);
    json_auto_t *victim = json_incref(cluster_world_nth(world, "Pod", 0));

    store_delete(world->store, kind_find("Pod"), "shop", object_name(victim), NULL, NULL);
    cluster_world_run(world, 1);

    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 2);
    assert_null(cluster_world_get(world, "Pod", object_name(victim)));
    assert_int_equal(cluster_world_events(world, "SuccessfulCreate", NULL), 3);
}

static void a_failed_pod_is_replaced_and_kept(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "ReplicaSet", SET);
    cluster_world_run(world, 1);

    cluster_world_change(world, "Pod", object_name(cluster_world_nth(world, "Pod", 0)),
        "{'status':{'phase':'Failed'}}");
    cluster_world_run(world, 1);

    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 3);
}

static void an_orphan_that_matches_is_adopted(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "Pod",
        "{'metadata':{'name':'orphan','labels':{'app':'s'}},"
        "'spec':{'containers':[{'name':'c','image':'nginx'}]}}");

    cluster_world_create(world, "ReplicaSet", SET);
    cluster_world_run(world, 1);

    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 2);
    assert_string_equal(
        object_string(object_controller(cluster_world_get(world, "Pod", "orphan")), "name"), "s");
}

static void a_pod_whose_labels_change_is_let_go_and_replaced(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "ReplicaSet", SET);
    cluster_world_run(world, 1);
    json_auto_t *pod = json_incref(cluster_world_nth(world, "Pod", 0));

    cluster_world_change(world, "Pod", object_name(pod), "{'metadata':{'labels':{'app':'other'}}}");
    cluster_world_run(world, 1);

    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 3);
    assert_null(object_controller(cluster_world_get(world, "Pod", object_name(pod))));
}

static void those_not_ready_are_deleted_first(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "ReplicaSet", SET);
    cluster_world_run(world, 1);
    json_auto_t *sick = json_incref(cluster_world_nth(world, "Pod", 1));
    cluster_world_change(world, "Pod", object_name(sick),
        "{'status':{'conditions':[{'type':'Ready','status':'False'}]}}");
    cluster_world_run(world, 1);

    cluster_world_change(world, "ReplicaSet", "s", "{'spec':{'replicas':1}}");
    cluster_world_run(world, 1);

    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 1);
    assert_null(cluster_world_get(world, "Pod", object_name(sick)));
}

static json_t *pod(const char *name, const char *node, const char *phase, const char *ready)
{
    return json_pack("{s:{s:s}, s:{s:s}, s:{s:s, s:[{s:s, s:s}]}}", "metadata", "name", name,
        "spec", "nodeName", node, "status", "phase", phase, "conditions", "type", "Ready", "status",
        ready);
}

static void the_least_useful_pods_rank_first(void **state)
{
    (void)state;
    json_auto_t *good = pod("good", "n1", "Running", "True");
    json_auto_t *crowded = pod("crowded", "n2", "Running", "True");
    json_auto_t *neighbour = pod("neighbour", "n2", "Running", "False");
    json_auto_t *pending = pod("pending", "n3", "Pending", "False");
    json_auto_t *homeless = pod("homeless", "", "Pending", "False");
    json_t *pods[] = {good, crowded, neighbour, pending, homeless};

    pods_rank_for_deletion(pods, ARRAY_SIZE(pods));

    assert_ptr_equal(pods[0], homeless);
    assert_ptr_equal(pods[1], pending);
    assert_ptr_equal(pods[2], neighbour);
    assert_ptr_equal(pods[3], crowded);
    assert_ptr_equal(pods[4], good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pod_that_is_deleted_is_replaced),
        cmocka_unit_test(a_failed_pod_is_replaced_and_kept),
        cmocka_unit_test(an_orphan_that_matches_is_adopted),
        cmocka_unit_test(a_pod_whose_labels_change_is_let_go_and_replaced),
        cmocka_unit_test(those_not_ready_are_deleted_first),
        cmocka_unit_test(the_least_useful_pods_rank_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
