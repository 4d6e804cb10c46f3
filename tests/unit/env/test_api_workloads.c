/* The workload kinds by the API: defaults, refusals and rows. */
#include "tests/unit/env/world.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

#define TEMPLATE(policy)                                                                           \
    "\"template\":{\"metadata\":{\"labels\":{\"app\":\"x\"}},\"spec\":{" policy                    \
    "\"containers\":[{\"name\":\"c\",\"image\":\"busybox\"}]}}"
#define SELECTOR "\"selector\":{\"matchLabels\":{\"app\":\"x\"}}"
#define NEVER    TEMPLATE("\"restartPolicy\":\"Never\",")

#define BATCH "/apis/batch/v1/namespaces/default"
#define APPS  "/apis/apps/v1/namespaces/default"

static json_t *post_to(world_t *self, const char *url, const char *kind, const char *spec)
{
    const char *group = strstr(url, "/batch/")  ? "batch/v1"
                        : strstr(url, "/apps/") ? "apps/v1"
                                                : "policy/v1";
    AUTO_FREE char *body = xasprintf(
        "{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"metadata\":{\"name\":\"x\"},\"spec\":{%s}}",
        group, kind, spec);
    return ask(self, "POST", url, "application/json", body);
}

static void a_stateful_set_gets_its_defaults(void **state)
{
    json_auto_t *set = post_to(*state, APPS "/statefulsets", "StatefulSet",
        SELECTOR
        "," TEMPLATE("") ",\"serviceName\":\"x\",\"volumeClaimTemplates\":[{\"kind\":"
                         "\"PersistentVolumeClaim\",\"metadata\":{\"name\":\"data\"},\"spec\":{"
                         "\"accessModes\":[\"ReadWriteOnce\"]}}]");
    expect_at(set, "spec.podManagementPolicy", "\"OrderedReady\"");
    expect_at(set, "spec.updateStrategy",
        "{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"partition\":0}}");
    expect_at(set, "spec.persistentVolumeClaimRetentionPolicy.whenDeleted", "\"Retain\"");
    expect_at(
        json_array_get(object_at(set, "spec.volumeClaimTemplates"), 0), "apiVersion", "\"v1\"");
}

static void a_stateful_set_mounts_its_claims(void **state)
{
    json_auto_t *set = post_to(*state, APPS "/statefulsets", "StatefulSet",
        SELECTOR
        ",\"template\":{\"metadata\":{\"labels\":{\"app\":\"x\"}},\"spec\":{\"containers\":["
        "{\"name\":\"c\",\"image\":\"redis\",\"volumeMounts\":[{\"name\":\"data\","
        "\"mountPath\":\"/data\"}]}]}},\"serviceName\":\"x\",\"volumeClaimTemplates\":[{"
        "\"metadata\":{\"name\":\"data\"},\"spec\":{\"accessModes\":[\"ReadWriteOnce\"]}}]");
    assert_int_equal(((world_t *)*state)->status, 201);
    assert_null(object_at(set, "spec.template.spec.volumes"));
}

static void a_stateful_sets_service_cannot_be_changed(void **state)
{
    json_auto_t *set = post_to(*state, APPS "/statefulsets", "StatefulSet",
        SELECTOR "," TEMPLATE("") ",\"serviceName\":\"x\"");
    assert_non_null(set);
    json_auto_t *answer = ask(*state, "PATCH", APPS "/statefulsets/x",
        "application/merge-patch+json", "{\"spec\":{\"serviceName\":\"y\"}}");
    expect_refusal(*state, answer, 422,
        "StatefulSet.apps \"x\" is invalid: spec: Forbidden: updates to statefulset spec for "
        "fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
        "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
}

static void a_daemon_set_needs_room_to_roll(void **state)
{
    json_auto_t *answer = post_to(*state, APPS "/daemonsets", "DaemonSet",
        SELECTOR "," TEMPLATE("") ",\"updateStrategy\":{\"rollingUpdate\":{\"maxUnavailable\":0}}");
    expect_refusal(*state, answer, 422,
        "DaemonSet.apps \"x\" is invalid: spec.updateStrategy.rollingUpdate.maxUnavailable: "
        "Required value: cannot be 0 when maxSurge is 0");
}

static void a_job_gets_its_selector_and_labels(void **state)
{
    json_auto_t *job = post_to(*state, BATCH "/jobs", "Job", NEVER);
    expect_at(job, "spec.completions", "1");
    expect_at(job, "spec.backoffLimit", "6");
    assert_string_equal(
        json_string_value(json_object_get(
            object_at(job, "spec.selector.matchLabels"), "batch.kubernetes.io/controller-uid")),
        object_uid(job));
    assert_string_equal(json_string_value(json_object_get(
                            object_at(job, "spec.template.metadata.labels"), "job-name")),
        "x");
    assert_true(json_equal(
        object_at(job, "metadata.labels"), object_at(job, "spec.template.metadata.labels")));
}

static void a_job_must_say_when_its_pods_restart(void **state)
{
    json_auto_t *answer = post_to(*state, BATCH "/jobs", "Job", TEMPLATE(""));
    expect_refusal(*state, answer, 422,
        "Job.batch \"x\" is invalid: spec.template.spec.restartPolicy: Required value: valid "
        "values: \"OnFailure\", \"Never\"");
}

static void a_cron_job_needs_a_schedule_that_parses(void **state)
{
    json_auto_t *answer = post_to(*state, BATCH "/cronjobs", "CronJob",
        "\"schedule\":\"* * *\",\"jobTemplate\":{\"spec\":{" NEVER "}}");
    expect_refusal(*state, answer, 422,
        "CronJob.batch \"x\" is invalid: spec.schedule: Invalid value: \"* * *\": expected "
        "exactly 5 fields, found 3: [* * *]");
}

static void a_cron_job_is_listed_with_its_schedule(void **state)
{
    json_auto_t *cron = post_to(*state, BATCH "/cronjobs", "CronJob",
        "\"schedule\":\"@hourly\",\"jobTemplate\":{\"spec\":{" NEVER "}}");
    json_auto_t *table =
        ask(*state, "GET", BATCH "/cronjobs", "application/json;as=Table;v=v1;g=meta.k8s.io", NULL);
    expect_at(cron, "spec.concurrencyPolicy", "\"Allow\"");
    expect_at(cron, "spec.jobTemplate.spec.template.spec.dnsPolicy", "\"ClusterFirst\"");
    assert_non_null(table);
}

#define AUTOSCALERS(version)                                                                       \
    "/apis/autoscaling/" version "/namespaces/default/horizontalpodautoscalers"

static void an_autoscaler_of_the_old_version_is_one_of_the_new(void **state)
{
    json_auto_t *old = ask(*state, "POST", AUTOSCALERS("v1"), "application/json",
        "{\"apiVersion\":\"autoscaling/v1\",\"kind\":\"HorizontalPodAutoscaler\",\"metadata\":{"
        "\"name\":\"x\"},\"spec\":{\"maxReplicas\":5,\"targetCPUUtilizationPercentage\":60,"
        "\"scaleTargetRef\":{\"kind\":\"Deployment\",\"name\":\"x\"}}}");
    json_auto_t *new = ask(*state, "GET", AUTOSCALERS("v2") "/x", NULL, NULL);
    json_auto_t *list = ask(*state, "GET", AUTOSCALERS("v1"), NULL, NULL);
    expect_at(old, "apiVersion", "\"autoscaling/v1\"");
    expect_at(old, "spec.targetCPUUtilizationPercentage", "60");
    expect_at(old, "spec.minReplicas", "1");
    expect_at(json_array_get(object_at(new, "spec.metrics"), 0),
        "resource.target.averageUtilization", "60");
    expect_at(json_array_get(json_object_get(list, "items"), 0), "metadata.name", "\"x\"");
}

static void kinds_are_made_in_their_beta_versions_too(void **state)
{
    json_auto_t *cron =
        ask(*state, "POST", "/apis/batch/v1beta1/namespaces/default/cronjobs", "application/json",
            "{\"apiVersion\":\"batch/v1beta1\",\"kind\":\"CronJob\",\"metadata\":{\"name\":\"x\"},"
            "\"spec\":{\"schedule\":\"@daily\",\"jobTemplate\":{\"spec\":{" NEVER "}}}}");
    json_auto_t *present = ask(*state, "GET", BATCH "/cronjobs/x", NULL, NULL);
    json_auto_t *groups = ask(*state, "GET", "/apis/batch/v1beta1", NULL, NULL);
    expect_at(cron, "apiVersion", "\"batch/v1beta1\"");
    expect_at(present, "apiVersion", "\"batch/v1\"");
    expect_at(json_array_get(json_object_get(groups, "resources"), 0), "name", "\"cronjobs\"");
}

static void an_autoscaler_of_the_old_version_must_say_so(void **state)
{
    json_auto_t *answer = ask(*state, "POST", AUTOSCALERS("v1"), "application/json",
        "{\"apiVersion\":\"autoscaling/v2\",\"kind\":\"HorizontalPodAutoscaler\"}");
    expect_refusal(*state, answer, 400, "the body is no autoscaling/v1 HorizontalPodAutoscaler");
}

static void a_budget_says_one_thing(void **state)
{
    json_auto_t *answer = post_to(*state, "/apis/policy/v1/namespaces/default/poddisruptionbudgets",
        "PodDisruptionBudget", "\"minAvailable\":1,\"maxUnavailable\":\"10%\"," SELECTOR);
    expect_refusal(*state, answer, 422,
        "PodDisruptionBudget.policy \"x\" is invalid: spec: Invalid value: {}: minAvailable and "
        "maxUnavailable cannot be both set");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_stateful_set_gets_its_defaults),
        WORLD_TEST(a_stateful_set_mounts_its_claims),
        WORLD_TEST(a_stateful_sets_service_cannot_be_changed),
        WORLD_TEST(a_daemon_set_needs_room_to_roll),
        WORLD_TEST(a_job_gets_its_selector_and_labels),
        WORLD_TEST(a_job_must_say_when_its_pods_restart),
        WORLD_TEST(a_cron_job_needs_a_schedule_that_parses),
        WORLD_TEST(a_cron_job_is_listed_with_its_schedule),
        WORLD_TEST(an_autoscaler_of_the_old_version_is_one_of_the_new),
        WORLD_TEST(an_autoscaler_of_the_old_version_must_say_so),
        WORLD_TEST(kinds_are_made_in_their_beta_versions_too),
        WORLD_TEST(a_budget_says_one_thing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
