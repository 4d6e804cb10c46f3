/* CronJobs, over virtual hours. */
#include "base/auto.h"
#include "services/cluster/env/object.h"

#include "tests/support/cluster_world.h"
#include "tests/support/test.h"

enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE };

#define CRON(schedule, image, more)                                                                \
    "{'metadata':{'name':'tick'},'spec':{'schedule':'" schedule "','jobTemplate':{'spec':{"        \
    "'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'" image        \
    "'}]}}}}" more "}}"

static size_t active(cluster_world_t *world)
{
    return json_array_size(object_at(cluster_world_get(world, "CronJob", "tick"), "status.active"));
}

static void a_job_starts_every_hour_and_three_are_kept(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "CronJob", CRON("@hourly", "completes", ""));
    cluster_world_run(world, 6 * HOUR + MINUTE);
    const json_t *job = cluster_world_nth(world, "Job", 0);
    assert_in_range(cluster_world_events(world, "SawCompletedJob", NULL), 6, 7);
    assert_int_equal(cluster_world_count(world, "Job", "shop"), 3);
    assert_int_equal(active(world), 0);
    assert_string_equal(object_string(object_controller(job), "name"), "tick");
    assert_non_null(object_annotation(job, "batch.kubernetes.io/cronjob-scheduled-timestamp"));
    assert_non_null(
        object_at(cluster_world_get(world, "CronJob", "tick"), "status.lastSuccessfulTime"));
}

static void of_failed_jobs_one_is_kept(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "CronJob", CRON("@hourly", "fails", ""));
    cluster_world_change(
        world, "CronJob", "tick", "{'spec':{'jobTemplate':{'spec':{'backoffLimit':0}}}}");
    cluster_world_run(world, 4 * HOUR + MINUTE);
    assert_int_equal(cluster_world_count(world, "Job", "shop"), 1);
}

static void allowed_jobs_run_side_by_side(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "CronJob", CRON("*/10 * * * *", "nginx", ""));
    cluster_world_run(world, HOUR);
    assert_int_equal(active(world), 6);
}

static void a_forbidden_job_is_not_started(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(
        world, "CronJob", CRON("*/10 * * * *", "nginx", ",'concurrencyPolicy':'Forbid'"));
    cluster_world_run(world, HOUR);
    assert_int_equal(active(world), 1);
    assert_int_equal(cluster_world_count(world, "Job", "shop"), 1);
    assert_true(cluster_world_events(world, "JobAlreadyActive", NULL) >= 5);
}

static void a_job_is_replaced(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(
        world, "CronJob", CRON("*/10 * * * *", "nginx", ",'concurrencyPolicy':'Replace'"));
    cluster_world_run(world, HOUR);
    assert_int_equal(cluster_world_count(world, "Job", "shop"), 1);
    assert_int_equal(cluster_world_events(world, "SuccessfulDelete", NULL), 5);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 1);
}

static void a_suspended_schedule_starts_nothing(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "CronJob", CRON("* * * * *", "completes", ",'suspend':true"));
    cluster_world_run(world, HOUR);
    assert_int_equal(cluster_world_count(world, "Job", "shop"), 0);
}

static void a_start_missed_for_too_long_is_told(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "CronJob", CRON("@hourly", "completes", ",'suspend':true"));
    cluster_world_run(world, 3 * HOUR);
    cluster_world_change(world, "CronJob", "tick", "{'spec':{'suspend':false}}");
    cluster_world_run(world, 10);
    assert_int_equal(cluster_world_count(world, "Job", "shop"), 1);
}

static void a_job_made_by_hand_belongs_to_it(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "CronJob", CRON("0 0 1 1 *", "completes", ""));
    json_auto_t *owner = object_owner_reference(cluster_world_get(world, "CronJob", "tick"));
    json_t *job = json_pack("{s:{s:s, s:s, s:[O]}, s:O}", "metadata", "name", "by-hand",
        "namespace", "shop", "ownerReferences", owner, "spec",
        object_at(cluster_world_get(world, "CronJob", "tick"), "spec.jobTemplate.spec"));
    assert_int_equal(store_create(world->store, kind_find("Job"), job, NULL, NULL), 0);
    cluster_world_run(world, 10);
    assert_int_equal(cluster_world_events(world, "UnexpectedJob", NULL) > 0, 1);
    assert_int_equal(
        object_integer(cluster_world_get(world, "Job", "by-hand"), "status.succeeded", 0), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_starts_every_hour_and_three_are_kept),
        cmocka_unit_test(of_failed_jobs_one_is_kept),
        cmocka_unit_test(allowed_jobs_run_side_by_side),
        cmocka_unit_test(a_forbidden_job_is_not_started),
        cmocka_unit_test(a_job_is_replaced),
        cmocka_unit_test(a_suspended_schedule_starts_nothing),
        cmocka_unit_test(a_start_missed_for_too_long_is_told),
        cmocka_unit_test(a_job_made_by_hand_belongs_to_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
