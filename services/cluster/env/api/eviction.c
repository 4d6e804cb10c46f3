/* The eviction subresource: a pod's deletion, if its disruption budget allows one more. */
#include "services/cluster/env/api/api_internal.h"

#include "services/cluster/env/api/body.h"
#include "services/cluster/env/api/status.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/selector.h"

#include "base/auto.h"
#include "base/mem.h"

#define REFUSAL "Cannot evict pod as it would violate the pod's disruption budget."

enum { RETRY_SECONDS = 10 };

/* ---- budgets ------------------------------------------------------------------------------ */

typedef struct search {
    const json_t *pod;
    json_t *found; /* the budgets that pick it; owned */
} search_t;

static void add_match(void *arg, json_t *budget)
{
    search_t *self = arg;
    AUTO(selector_destroy)
    selector_t *selector = selector_new(object_at(budget, "spec.selector"), NULL);
    if (selector && selector_matches(selector, object_at(self->pod, "metadata.labels")))
        json_array_append(self->found, budget);
}

static json_t *budgets_of(api_t *self, const json_t *pod)
{
    search_t search = {.pod = pod, .found = json_array()};
    store_each(
        self->store, kind_find("PodDisruptionBudget"), object_namespace(pod), add_match, &search);
    return search.found;
}

static bool is_ready(const json_t *pod)
{
    return strcmp(object_string(object_condition(pod, "Ready"), "status"), "True") == 0;
}

/* What does not run, or is going, disrupts nothing. */
static bool is_free(const json_t *pod)
{
    static const char *const phases[] = {"Pending", "Succeeded", "Failed"};
    for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
        if (strcmp(object_string(pod, "status.phase"), phases[i]) == 0)
            return true;
    }
    return object_is_deleted(pod);
}

/* A pod that is not ready may go if the others are enough, or if the budget says so. */
static bool is_spared(const json_t *pod, const json_t *budget)
{
    int64_t desired = object_integer(budget, "status.desiredHealthy", 0);
    if (is_ready(pod))
        return false;
    return strcmp(object_string(budget, "spec.unhealthyPodEvictionPolicy"), "AlwaysAllow") == 0
           || (desired > 0 && object_integer(budget, "status.currentHealthy", 0) >= desired);
}

static void refuse(request_t *request, int retry_seconds, char *why)
{
    json_t *details =
        json_pack("{s:[{s:s, s:s}]}", "causes", "reason", "DisruptionBudget", "message", why);
    if (retry_seconds)
        json_object_set_new(details, "retryAfterSeconds", json_integer(retry_seconds));
    reply_status(request, 429, "TooManyRequests", details, REFUSAL);
    free(why);
}

/* Takes one disruption from the budget; false if the request was refused. */
static bool spend(
    api_t *self, request_t *request, const json_t *pod, const json_t *budget, bool is_dry)
{
    const char *name = object_name(budget);
    int64_t allowed = object_integer(budget, "status.disruptionsAllowed", 0);
    if (object_integer(budget, "status.observedGeneration", 0)
        < object_integer(budget, "metadata.generation", 0)) {
        refuse(request, RETRY_SECONDS,
            xasprintf("The disruption budget %s is still being processed by the server.", name));
        return false;
    }
    if (allowed <= 0) {
        refuse(request, 0,
            xasprintf("The disruption budget %s needs %lld healthy pods and has %lld currently",
                name, (long long)object_integer(budget, "status.desiredHealthy", 0),
                (long long)object_integer(budget, "status.currentHealthy", 0)));
        return false;
    }
    if (is_dry)
        return true;
    json_t *copy = object_copy(budget, "status.disruptedPods");
    object_set(copy, "status.disruptionsAllowed", json_integer(allowed - 1));
    json_object_set_new(
        object_at(copy, "status.disruptedPods"), object_name(pod), object_time_now());
    (void)store_update(
        self->store, kind_find("PodDisruptionBudget"), copy, STORE_STATUS, NULL); /* it is there */
    return true;
}

static bool is_allowed(api_t *self, request_t *request, const json_t *pod, bool is_dry)
{
    json_auto_t *budgets = budgets_of(self, pod);
    const json_t *budget = json_array_get(budgets, 0);
    if (is_free(pod) || !budget)
        return true;
    if (json_array_size(budgets) > 1) {
        reply_status(request, 500, "InternalError", NULL,
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does "
            "not support.");
        return false;
    }
    return is_spared(pod, budget) || spend(self, request, pod, budget, is_dry);
}

/* ---- evicting ----------------------------------------------------------------------------- */

static void mark(api_t *self, const json_t *pod)
{
    json_t *known = object_at(pod, "status.conditions");
    json_t *conditions = known ? json_copy(known) : json_array();
    json_array_append_new(
        conditions, json_pack("{s:s, s:s, s:n, s:o, s:s, s:s}", "type", "DisruptionTarget",
                        "status", "True", "lastProbeTime", "lastTransitionTime", object_time_now(),
                        "reason", "EvictionByEvictionAPI", "message", "Eviction API: evicting"));
    json_t *copy = object_copy(pod, "status");
    object_set(copy, "status.conditions", conditions);
    (void)store_update(self->store, kind_find("Pod"), copy, STORE_STATUS, NULL); /* it is there */
}

static bool is_dry_run(const request_t *request, const json_t *eviction)
{
    const char *query = request_query(request, "dryRun");
    return (query && *query) || json_array_size(object_at(eviction, "deleteOptions.dryRun"));
}

static void evict(api_t *self, request_t *request, const target_t *target, const json_t *eviction)
{
    json_auto_t *pod =
        json_incref(store_get(self->store, target->kind, target->namespace, target->name));
    const char *uid = object_string(eviction, "deleteOptions.preconditions.uid");
    store_delete_t options = {
        .grace_seconds = object_integer(eviction, "deleteOptions.gracePeriodSeconds", -1),
        .uid = *uid ? uid : NULL};
    err_t err = {0};
    bool is_dry = is_dry_run(request, eviction);
    if (!pod) {
        reply_not_found(request, target->kind, target->name);
        return;
    }
    if (!is_allowed(self, request, pod, is_dry))
        return;
    if (!is_dry && !object_condition(pod, "DisruptionTarget"))
        mark(self, pod);
    if (!is_dry
        && store_delete(self->store, target->kind, target->namespace, target->name, &options, &err)
               < 0) {
        reply_store_error(request, target->kind, target->name, &err);
        return;
    }
    reply_json(request, 201,
        json_pack("{s:s, s:s, s:{}, s:s, s:i}", "kind", "Status", "apiVersion", "v1", "metadata",
            "status", "Success", "code", 201));
}

void eviction_handle(api_t *self, request_t *request, const target_t *target)
{
    err_t err = {0};
    if (strcmp(request->method, "POST") != 0) {
        reply_not_allowed(request);
        return;
    }
    json_auto_t *eviction = body_decode(request, &err);
    if (!json_is_object(eviction)) {
        reply_bad_request(request, "%s", *err.text ? err.text : "the body is not an object");
        return;
    }
    const char *name = object_name(eviction);
    if (*name && strcmp(name, target->name) != 0)
        reply_bad_request(request, "name in URL does not match name in Eviction object");
    else
        evict(self, request, target, eviction);
}
