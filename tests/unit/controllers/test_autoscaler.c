/* Autoscalers: replicas by what pods use. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

#include "tests/support/cluster_world.h"
#include "tests/support/test.h"

enum { SECOND = 1000 };

#define SCALER(more)                                                                               \
    "{'metadata':{'name':'web'},'spec':{'scaleTargetRef':{'apiVersion':'apps/v1','kind':"          \
    "'Deployment','name':'web'},'minReplicas':2,'maxReplicas':10,'metrics':[{'type':'Resource',"   \
    "'resource':{'name':'cpu','target':{'type':'Utilization','averageUtilization':50}}}]" more     \
    "}}"

/* Two pods that ask for a fifth of a cpu each. */
static cluster_world_t *world_new(void)
{
    cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "Deployment",
        "{'metadata':{'name':'web'},'spec':{'replicas':2,'selector':{'matchLabels':{'app':'web'}},"
        "'template':{'metadata':{'labels':{'app':'web'}},'spec':{'containers':[{'name':'c',"
        "'image':'nginx','resources':{'requests':{'cpu':'200m'}}}]}}}}");
    cluster_world_run(world, 10);
    return world;
}

static int64_t replicas(cluster_world_t *world)
{
    return object_integer(cluster_world_get(world, "Deployment", "web"), "spec.replicas", 0);
}

static const char *reason_of(cluster_world_t *world, const char *type)
{
    return object_string(
        object_condition(cluster_world_get(world, "HorizontalPodAutoscaler", "web"), type),
        "reason");
}

static void replicas_grow_with_what_is_used(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = world_new();
    cluster_world_use_cpu(world, 200);
    cluster_world_run(world, 20 * SECOND);
    cluster_world_create(world, "HorizontalPodAutoscaler", SCALER(""));
    cluster_world_run(world, 10);
    assert_int_equal(replicas(world), 4);
    assert_int_equal(cluster_world_events(world, "SuccessfulRescale",
                         "New size: 4; reason: cpu resource utilization (percentage of request) "
                         "above target"),
        1);
    assert_string_equal(reason_of(world, "ScalingActive"), "ValidMetricFound");
}

static void what_is_near_the_target_changes_nothing(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = world_new();
    cluster_world_use_cpu(world, 106);
    cluster_world_run(world, 20 * SECOND);
    cluster_world_create(world, "HorizontalPodAutoscaler", SCALER(""));
    cluster_world_run(world, 60 * SECOND);
    assert_int_equal(replicas(world), 2);
    assert_string_equal(reason_of(world, "ScalingLimited"), "DesiredWithinRange");
    const json_t *metric =
        json_array_get(object_at(cluster_world_get(world, "HorizontalPodAutoscaler", "web"),
                           "status.currentMetrics"),
            0);
    assert_int_equal(object_integer(metric, "resource.current.averageUtilization", 0), 53);
}

static void replicas_shrink_after_five_quiet_minutes(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = world_new();
    cluster_world_use_cpu(world, 200);
    cluster_world_run(world, 20 * SECOND);
    cluster_world_create(world, "HorizontalPodAutoscaler", SCALER(""));
    cluster_world_run(world, 40 * SECOND);
    int64_t high = replicas(world);
    assert_true(high > 4);
    cluster_world_use_cpu(world, 10);
    cluster_world_run(world, 200 * SECOND);
    assert_true(replicas(world) >= high);
    assert_string_equal(reason_of(world, "AbleToScale"), "ScaleDownStabilized");
    cluster_world_run(world, 160 * SECOND);
    assert_int_equal(replicas(world), 2);
}

static void the_most_is_the_most(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = world_new();
    cluster_world_use_cpu(world, 2000);
    cluster_world_run(world, 20 * SECOND);
    cluster_world_create(world, "HorizontalPodAutoscaler", SCALER(""));
    cluster_world_run(world, 60 * SECOND);
    assert_int_equal(replicas(world), 10);
    assert_string_equal(reason_of(world, "ScalingLimited"), "TooManyReplicas");
}

static void a_target_that_is_not_there_is_told(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "HorizontalPodAutoscaler", SCALER(""));
    cluster_world_run(world, 10);
    assert_string_equal(reason_of(world, "AbleToScale"), "FailedGetScale");
    assert_int_equal(
        cluster_world_events(world, "FailedGetScale", "deployments.apps \"web\" not found"), 1);
}

static void pods_without_requests_cannot_be_measured(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_deploy(world, "web", "nginx", 2, "");
    cluster_world_run(world, 20 * SECOND);
    cluster_world_create(world, "HorizontalPodAutoscaler", SCALER(""));
    cluster_world_run(world, 10);
    assert_string_equal(reason_of(world, "ScalingActive"), "FailedGetResourceMetric");
    assert_int_equal(replicas(world), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replicas_grow_with_what_is_used),
        cmocka_unit_test(what_is_near_the_target_changes_nothing),
        cmocka_unit_test(replicas_shrink_after_five_quiet_minutes),
        cmocka_unit_test(the_most_is_the_most),
        cmocka_unit_test(a_target_that_is_not_there_is_told),
        cmocka_unit_test(pods_without_requests_cannot_be_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
