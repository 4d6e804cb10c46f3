/* Jobs: completions, back-off, deadlines, indexes. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/job_run.h"
#include "services/cluster/env/object.h"

#include "tests/support/cluster_world.h"
#include "tests/support/test.h"

#define JOB(image, more)                                                                           \
    "{'metadata':{'name':'j'},'spec':{'template':{'spec':{'restartPolicy':'Never',"                \
    "'containers':[{'name':'c','image':'" image "'}]}}" more "}}"

static int64_t status(cluster_world_t *world, const char *path)
{
    return object_integer(cluster_world_get(world, "Job", "j"), path, 0);
}

static const char *reason_of(cluster_world_t *world, const char *type)
{
    const json_t *condition = object_condition(cluster_world_get(world, "Job", "j"), type);
    return condition ? object_string(condition, "reason") : "none";
}

static void a_job_ends_when_its_pod_does(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "Job", JOB("completes", ""));
    cluster_world_run(world, 10);
    assert_string_equal(reason_of(world, "Complete"), "");
    assert_int_equal(status(world, "status.succeeded"), 1);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 1);
    assert_null(object_at(cluster_world_nth(world, "Pod", 0), "metadata.finalizers"));
    assert_int_equal(cluster_world_events(world, "Completed", "Job completed"), 1);
    assert_true(object_at(cluster_world_get(world, "Job", "j"), "status.completionTime") != NULL);
}

static void completions_are_done_so_many_at_a_time(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "Job", JOB("nginx", ",'completions':5,'parallelism':2"));
    cluster_world_run(world, 10);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 2);
    assert_int_equal(status(world, "status.active"), 2);
    cluster_world_change(world, "Pod", object_name(cluster_world_nth(world, "Pod", 0)),
        "{'status':{'phase':'Succeeded'}}");
    cluster_world_run(world, 10);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 3);
    assert_int_equal(status(world, "status.succeeded"), 1);
}

static void failures_wait_longer_and_longer_until_the_limit(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "Job", JOB("fails", ",'backoffLimit':3"));
    cluster_world_run(world, 9000);
    assert_int_equal(status(world, "status.failed"), 1);
    cluster_world_run(world, 2000);
    assert_int_equal(status(world, "status.failed"), 2);
    cluster_world_run(world, 18000);
    assert_int_equal(status(world, "status.failed"), 2);
    cluster_world_run(world, 2000 + 41000);
    assert_int_equal(status(world, "status.failed"), 4);
    assert_string_equal(reason_of(world, "Failed"), "BackoffLimitExceeded");
    assert_int_equal(cluster_world_events(world, "BackoffLimitExceeded",
                         "Job has reached the specified backoff limit"),
        1);
    cluster_world_run(world, 600000);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 4);
}

static void a_deadline_ends_a_job_and_its_pods(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "Job", JOB("nginx", ",'activeDeadlineSeconds':30"));
    cluster_world_run(world, 28000);
    assert_int_equal(status(world, "status.active"), 1);
    cluster_world_run(world, 3000);
    assert_string_equal(reason_of(world, "Failed"), "DeadlineExceeded");
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 0);
}

static void a_finished_job_goes_after_its_time(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "Job", JOB("completes", ",'ttlSecondsAfterFinished':60"));
    cluster_world_run(world, 50000);
    assert_non_null(cluster_world_get(world, "Job", "j"));
    cluster_world_run(world, 12000);
    assert_null(cluster_world_get(world, "Job", "j"));
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 0);
}

static void indexes_are_each_done_once(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "Job",
        JOB("completes", ",'completions':4,'parallelism':2,'completionMode':'Indexed'"));
    cluster_world_run(world, 10);
    const json_t *pod = cluster_world_nth(world, "Pod", 3);
    const json_t *container = json_array_get(object_at(pod, "spec.containers"), 0);
    assert_string_equal(
        object_string(cluster_world_get(world, "Job", "j"), "status.completedIndexes"), "0-3");
    assert_string_equal(object_string(pod, "spec.hostname"), "j-3");
    assert_string_equal(object_label(pod, JOB_INDEX), "3");
    assert_string_equal(object_string(json_array_get(json_object_get(container, "env"), 0), "name"),
        "JOB_COMPLETION_INDEX");
}

static void lists_of_indexes_stay_in_order(void **state)
{
    static const int64_t order[] = {7, 0, 1, 3, 5, 2, 9, 8};
    char *list = xstrdup("");
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        char *longer = job_index_add(list, order[i]);
        free(list);
        list = longer;
    }
    assert_string_equal(list, "0-3,5,7-9");
    assert_true(job_index_has(list, 8));
    assert_false(job_index_has(list, 4));
    free(list);
}

static void a_suspended_job_has_no_pods_until_it_is_resumed(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "Job", JOB("nginx", ",'suspend':true"));
    cluster_world_run(world, 10);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 0);
    assert_string_equal(reason_of(world, "Suspended"), "JobSuspended");
    cluster_world_change(world, "Job", "j", "{'spec':{'suspend':false}}");
    cluster_world_run(world, 10);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 1);
    cluster_world_change(world, "Job", "j", "{'spec':{'suspend':true}}");
    cluster_world_run(world, 10);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 0);
    assert_int_equal(status(world, "status.failed"), 0);
    assert_int_equal(cluster_world_events(world, "Resumed", "Job resumed"), 1);
}

static void a_policy_fails_the_job_at_once(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "Job",
        JOB("nginx", ",'podFailurePolicy':{'rules':[{'action':'FailJob','onExitCodes':{"
                     "'operator':'In','values':[42]}}]}"));
    cluster_world_run(world, 10);
    cluster_world_change(world, "Pod", object_name(cluster_world_nth(world, "Pod", 0)),
        "{'status':{'phase':'Failed','containerStatuses':[{'name':'c','state':{'terminated':{"
        "'exitCode':42}}}]}}");
    cluster_world_run(world, 10);
    assert_string_equal(reason_of(world, "Failed"), "PodFailurePolicy");
}

static void a_deleted_job_takes_its_pods_with_it(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "Job", JOB("nginx", ",'parallelism':2"));
    cluster_world_run(world, 10);
    store_delete(world->store, kind_find("Job"), "shop", "j", NULL, NULL);
    cluster_world_run(world, 10);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 0);
}

static void a_deleted_pod_counts_as_failed_and_is_replaced(void **state)
{
    (void)state;
    AUTO(cluster_world_destroy) cluster_world_t *world = cluster_world_new();
    cluster_world_create(world, "Job", JOB("broken", ""));
    cluster_world_run(world, 10);
    store_delete(world->store, kind_find("Pod"), "shop",
        object_name(cluster_world_nth(world, "Pod", 0)), NULL, NULL);
    cluster_world_run(world, 11000);
    assert_int_equal(cluster_world_count(world, "Pod", "shop"), 1);
    assert_int_equal(status(world, "status.failed"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_ends_when_its_pod_does),
        cmocka_unit_test(completions_are_done_so_many_at_a_time),
        cmocka_unit_test(failures_wait_longer_and_longer_until_the_limit),
        cmocka_unit_test(a_deadline_ends_a_job_and_its_pods),
        cmocka_unit_test(a_finished_job_goes_after_its_time),
        cmocka_unit_test(indexes_are_each_done_once),
        cmocka_unit_test(lists_of_indexes_stay_in_order),
        cmocka_unit_test(a_suspended_job_has_no_pods_until_it_is_resumed),
        cmocka_unit_test(a_policy_fails_the_job_at_once),
        cmocka_unit_test(a_deleted_job_takes_its_pods_with_it),
        cmocka_unit_test(a_deleted_pod_counts_as_failed_and_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
