/* What a ResourceQuota's status says, and what becomes of pods that it leaves no room for. */
#include "base/auto.h"
#include "services/cluster/env/object.h"

#include "tests/support/cluster_world.h"
#include "tests/support/test.h"

static const char *used(cluster_world_t *world, const char *resource)
{
    const json_t *quota = cluster_world_get(world, "ResourceQuota", "q");
    const char *amount =
        json_string_value(json_object_get(object_at(quota, "status.used"), resource));
    return amount ? amount : "unknown";
}

static void the_status_follows_what_is_there(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "ResourceQuota",
        "{'metadata':{'name':'q'},'spec':{'hard':{'pods':'3','count/replicasets.apps':'5'}}}");
    cluster_world_run(world, 1);
    assert_string_equal(used(world, "pods"), "0");
    cluster_world_deploy(world, "web", "nginx", 2, "");
    cluster_world_run(world, 10);
    assert_string_equal(used(world, "pods"), "2");
    assert_string_equal(used(world, "count/replicasets.apps"), "1");
    cluster_world_change(world, "Deployment", "web", "{'spec':{'replicas':1}}");
    cluster_world_run(world, 10);
    assert_string_equal(used(world, "pods"), "1");
}

static void a_set_without_room_says_so(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(
        world, "ResourceQuota", "{'metadata':{'name':'q'},'spec':{'hard':{'pods':'1'}}}");
    cluster_world_deploy(world, "web", "nginx", 2, "");
    cluster_world_run(world, 10);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 1);
    assert_true(cluster_world_events(world, "FailedCreate", NULL) > 0);
    const json_t *condition =
        object_condition(cluster_world_get(world, "Deployment", "web"), "ReplicaFailure");
    assert_non_null(strstr(object_string(condition, "message"),
        "is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1"));
    cluster_world_change(world, "ResourceQuota", "q", "{'spec':{'hard':{'pods':'2'}}}");
    cluster_world_run(world, 60000);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_status_follows_what_is_there),
        cmocka_unit_test(a_set_without_room_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
