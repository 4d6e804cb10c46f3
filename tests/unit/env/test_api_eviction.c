/* Evictions: what a budget allows, and the answers when it does not. */
#include "tests/unit/env/world.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

#define EVICT PODS "/web/eviction"
#define BODY  "{\"apiVersion\":\"policy/v1\",\"kind\":\"Eviction\",\"metadata\":{\"name\":\"web\"}}"

static void add_pod(world_t *self, const char *phase)
{
    json_t *pod = json_pack("{s:{s:s, s:s, s:{s:s}}, s:{s:s, s:[{s:s, s:s}]}}", "metadata", "name",
        "web", "namespace", "default", "labels", "app", "web", "spec", "nodeName", "n1",
        "containers", "name", "c", "image", "nginx");
    json_t *stored = NULL;
    assert_int_equal(store_create(self->store, kind_find("Pod"), pod, &stored, NULL), 0);
    json_t *copy = object_copy(stored, "status");
    object_set(copy, "status.phase", json_string(phase));
    object_set(
        copy, "status.conditions", json_pack("[{s:s, s:s}]", "type", "Ready", "status", "True"));
    assert_int_equal(store_update(self->store, kind_find("Pod"), copy, STORE_STATUS, NULL), 0);
}

static void add_budget(world_t *self, const char *name, int allowed)
{
    json_t *budget = json_pack("{s:{s:s, s:s}, s:{s:i, s:{s:{s:s}}}}", "metadata", "name", name,
        "namespace", "default", "spec", "minAvailable", 2, "selector", "matchLabels", "app", "web");
    json_t *stored = NULL;
    assert_int_equal(
        store_create(self->store, kind_find("PodDisruptionBudget"), budget, &stored, NULL), 0);
    json_t *copy = object_copy(stored, "");
    json_object_set_new(copy, "status",
        json_pack("{s:i, s:i, s:i, s:i, s:i}", "disruptionsAllowed", allowed, "currentHealthy",
            allowed + 2, "desiredHealthy", 2, "expectedPods", 3, "observedGeneration", 1));
    assert_int_equal(
        store_update(self->store, kind_find("PodDisruptionBudget"), copy, STORE_STATUS, NULL), 0);
}

static json_t *pod_of(world_t *self)
{
    return store_get(self->store, kind_find("Pod"), "default", "web");
}

static void a_pod_without_a_budget_is_deleted(void **state)
{
    world_t *world = *state;
    add_pod(world, "Running");
    json_auto_t *answer = ask(world, "POST", EVICT, "application/json", BODY);
    assert_int_equal(world->status, 201);
    expect_at(answer, "status", "\"Success\"");
    assert_true(object_is_deleted(pod_of(world)));
    assert_non_null(object_condition(pod_of(world), "DisruptionTarget"));
}

static void a_budget_that_is_spent_refuses(void **state)
{
    world_t *world = *state;
    add_pod(world, "Running");
    add_budget(world, "b", 0);
    json_auto_t *answer = ask(world, "POST", EVICT, "application/json", BODY);
    expect_refusal(
        world, answer, 429, "Cannot evict pod as it would violate the pod's disruption budget.");
    expect_at(answer, "reason", "\"TooManyRequests\"");
    expect_at(json_array_get(object_at(answer, "details.causes"), 0), "message",
        "\"The disruption budget b needs 2 healthy pods and has 2 currently\"");
    assert_false(object_is_deleted(pod_of(world)));
}

static void an_eviction_is_taken_from_the_budget(void **state)
{
    world_t *world = *state;
    add_pod(world, "Running");
    add_budget(world, "b", 1);
    tell(world, "POST", EVICT, BODY);
    const json_t *budget =
        store_get(world->store, kind_find("PodDisruptionBudget"), "default", "b");
    expect_at(budget, "status.disruptionsAllowed", "0");
    assert_non_null(object_at(budget, "status.disruptedPods.web"));
    assert_true(object_is_deleted(pod_of(world)));
}

static void a_dry_run_takes_nothing(void **state)
{
    world_t *world = *state;
    add_pod(world, "Running");
    add_budget(world, "b", 1);
    tell(world, "POST", EVICT "?dryRun=All", BODY);
    assert_int_equal(world->status, 201);
    assert_false(object_is_deleted(pod_of(world)));
}

static void a_pod_that_does_not_run_is_free_to_go(void **state)
{
    world_t *world = *state;
    add_pod(world, "Pending");
    add_budget(world, "b", 0);
    tell(world, "POST", EVICT, BODY);
    assert_int_equal(world->status, 201);
}

static void two_budgets_are_one_too_many(void **state)
{
    world_t *world = *state;
    add_pod(world, "Running");
    add_budget(world, "a", 1);
    add_budget(world, "b", 1);
    json_auto_t *answer = ask(world, "POST", EVICT, "application/json", BODY);
    expect_refusal(world, answer, 500,
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not "
        "support.");
}

static void the_old_version_is_taken_too(void **state)
{
    world_t *world = *state;
    add_pod(world, "Running");
    tell(world, "POST", EVICT,
        "{\"apiVersion\":\"policy/v1beta1\",\"kind\":\"Eviction\",\"metadata\":{\"name\":\"web\"},"
        "\"deleteOptions\":{\"gracePeriodSeconds\":5}}");
    assert_int_equal(world->status, 201);
    expect_at(pod_of(world), "metadata.deletionGracePeriodSeconds", "5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_pod_without_a_budget_is_deleted),
        WORLD_TEST(a_budget_that_is_spent_refuses),
        WORLD_TEST(an_eviction_is_taken_from_the_budget),
        WORLD_TEST(a_dry_run_takes_nothing),
        WORLD_TEST(a_pod_that_does_not_run_is_free_to_go),
        WORLD_TEST(two_budgets_are_one_too_many),
        WORLD_TEST(the_old_version_is_taken_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
