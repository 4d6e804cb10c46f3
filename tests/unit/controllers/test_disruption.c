/* PodDisruptionBudgets: what may be evicted. */
#include "base/auto.h"
#include "services/cluster/env/object.h"

#include "tests/support/cluster_world.h"
#include "tests/support/test.h"

#define BUDGET(amount)                                                                             \
    "{'metadata':{'name':'b'},'spec':{" amount ",'selector':{'matchLabels':{'app':'web'}}}}"

static int64_t status(cluster_world_t *world, const char *path)
{
    return object_integer(cluster_world_get(world, "PodDisruptionBudget", "b"), path, -1);
}

static void what_is_above_the_minimum_may_go(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_deploy(world, "web", "nginx", 3, "");
    cluster_world_create(world, "PodDisruptionBudget", BUDGET("'minAvailable':2"));
    cluster_world_run(world, 10);
    assert_int_equal(status(world, "status.disruptionsAllowed"), 1);
    assert_int_equal(status(world, "status.currentHealthy"), 3);
    assert_int_equal(status(world, "status.desiredHealthy"), 2);
    assert_int_equal(status(world, "status.expectedPods"), 3);
}

static void nothing_may_go_while_pods_are_not_ready(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_deploy(world, "web", "broken", 3, "");
    cluster_world_create(world, "PodDisruptionBudget", BUDGET("'maxUnavailable':1"));
    cluster_world_run(world, 10);
    const json_t *condition =
        object_condition(cluster_world_get(world, "PodDisruptionBudget", "b"), "DisruptionAllowed");
    assert_int_equal(status(world, "status.disruptionsAllowed"), 0);
    assert_string_equal(object_string(condition, "reason"), "InsufficientPods");
}

static void a_share_is_of_what_the_deployment_wants(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_deploy(world, "web", "nginx", 4, "");
    cluster_world_create(world, "PodDisruptionBudget", BUDGET("'maxUnavailable':'30%'"));
    cluster_world_run(world, 10);
    assert_int_equal(status(world, "status.expectedPods"), 4);
    assert_int_equal(status(world, "status.desiredHealthy"), 2);
    assert_int_equal(status(world, "status.disruptionsAllowed"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_above_the_minimum_may_go),
        cmocka_unit_test(nothing_may_go_while_pods_are_not_ready),
        cmocka_unit_test(a_share_is_of_what_the_deployment_wants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
