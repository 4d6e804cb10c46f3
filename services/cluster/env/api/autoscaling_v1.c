/* autoscaling/v1: the same HorizontalPodAutoscalers in their older form, which knows the use of CPU
 * alone. `kubectl autoscale` makes them so. Read, listed, made and deleted; changed as v2. */
#include "services/cluster/env/api/api_internal.h"

#include "services/cluster/env/api/body.h"
#include "services/cluster/env/api/route.h"
#include "services/cluster/env/api/status.h"
#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

#define ROOT    "/apis/autoscaling/v1/"
#define CURRENT "/apis/autoscaling/v2/"

/* The older form has the fields of the newer one but for metrics and behavior. */
static const kind_t old_kind = {.name = "HorizontalPodAutoscaler",
    .group = "autoscaling",
    .version = "v1",
    .plural = "horizontalpodautoscalers",
    .singular = "horizontalpodautoscaler",
    .type = "autoscaling/v1.HorizontalPodAutoscaler",
    .is_namespaced = true};

/* ---- conversion --------------------------------------------------------------------------- */

static const json_t *cpu_metric(const json_t *metrics)
{
    size_t i;
    json_t *metric;
    json_array_foreach(metrics, i, metric)
    {
        if (!strcmp(object_string(metric, "resource.name"), "cpu"))
            return json_object_get(metric, "resource");
    }
    return NULL;
}

static void carry(json_t *to, const char *key, const json_t *value)
{
    if (value)
        json_object_set(to, key, (json_t *)value);
}

static json_t *to_v1(const json_t *object)
{
    const json_t *spec = json_object_get(object, "spec");
    const json_t *status = json_object_get(object, "status");
    json_t *old = json_pack("{s:s, s:s, s:O, s:{}, s:{}}", "kind", old_kind.name, "apiVersion",
        "autoscaling/v1", "metadata", json_object_get(object, "metadata"), "spec", "status");
    json_t *old_spec = json_object_get(old, "spec");
    json_t *old_status = json_object_get(old, "status");
    carry(old_spec, "scaleTargetRef", json_object_get(spec, "scaleTargetRef"));
    carry(old_spec, "minReplicas", json_object_get(spec, "minReplicas"));
    carry(old_spec, "maxReplicas", json_object_get(spec, "maxReplicas"));
    carry(old_spec, "targetCPUUtilizationPercentage",
        object_at(cpu_metric(json_object_get(spec, "metrics")), "target.averageUtilization"));
    json_object_set_new(
        old_status, "currentReplicas", json_integer(object_integer(status, "currentReplicas", 0)));
    json_object_set_new(
        old_status, "desiredReplicas", json_integer(object_integer(status, "desiredReplicas", 0)));
    carry(old_status, "lastScaleTime", json_object_get(status, "lastScaleTime"));
    carry(old_status, "currentCPUUtilizationPercentage",
        object_at(
            cpu_metric(json_object_get(status, "currentMetrics")), "current.averageUtilization"));
    return old;
}

/* Changes the object in place. */
static void to_v2(json_t *object)
{
    json_t *spec = json_object_get(object, "spec");
    json_t *share = json_object_get(spec, "targetCPUUtilizationPercentage");
    json_object_set_new(object, "apiVersion", json_string("autoscaling/v2"));
    json_object_del(object, "status");
    if (share)
        json_object_set_new(spec, "metrics",
            json_pack("[{s:s, s:{s:s, s:{s:s, s:O}}}]", "type", "Resource", "resource", "name",
                "cpu", "target", "type", "Utilization", "averageUtilization", share));
    json_object_del(spec, "targetCPUUtilizationPercentage");
}

/* ---- requests ----------------------------------------------------------------------------- */

static void add_item(void *arg, json_t *object)
{
    json_array_append_new(arg, to_v1(object));
}

static void list(api_t *self, request_t *request, const target_t *target)
{
    json_t *items = json_array();
    store_each(self->store, target->kind, target->namespace, add_item, items);
    reply_json(request, 200,
        json_pack("{s:s, s:s, s:{s:o}, s:o}", "kind", "HorizontalPodAutoscalerList", "apiVersion",
            "autoscaling/v1", "metadata", "resourceVersion",
            json_sprintf("%llu", (unsigned long long)store_version(self->store)), "items", items));
}

/* The object in the body, or NULL if the request was answered. */
static json_t *read_body(request_t *request)
{
    err_t err = {0};
    json_t *object = body_decode(request, &err);
    if (object && !strcmp(object_string(object, "apiVersion"), "autoscaling/v1")
        && !strcmp(object_string(object, "kind"), old_kind.name))
        return body_check(request, &old_kind, object);
    json_decref(object);
    reply_bad_request(request, "%s",
        *err.text ? err.text : "the body is no autoscaling/v1 HorizontalPodAutoscaler");
    return NULL;
}

static void create(api_t *self, request_t *request, const target_t *target)
{
    err_t err = {0};
    causes_t causes;
    json_t *next = NULL;
    json_t *object = read_body(request);
    if (!object)
        return;
    to_v2(object);
    object_set(object, "metadata.namespace", json_string(target->namespace));
    AUTO_FREE char *name = xstrdup(object_name(object));
    if (store_prepare_new(self->store, target->kind, object, &next, &err) < 0) {
        reply_store_error(request, target->kind, name, &err);
        return;
    }
    causes_init(&causes);
    target->kind->validate(next, NULL, &causes);
    if (!causes_is_empty(&causes)) {
        reply_invalid(request, target->kind, name, &causes);
        json_decref(next);
    } else if (request_query(request, "dryRun")) {
        reply_json(request, 201, to_v1(next));
        json_decref(next);
    } else {
        reply_json(request, 201,
            to_v1(store_commit(self->store, STORE_ADDED, target->kind, next)->object));
    }
    causes_done(&causes);
}

static void handle(api_t *self, request_t *request, const target_t *target)
{
    bool is_get = !strcmp(request->method, "GET");
    const json_t *object =
        target->name ? store_get(self->store, target->kind, target->namespace, target->name) : NULL;
    if (is_get && !target->name && !request_flag(request, "watch"))
        list(self, request, target);
    else if (!target->name && !strcmp(request->method, "POST"))
        create(self, request, target);
    else if (target->name && !object)
        reply_not_found(request, target->kind, target->name);
    else if (is_get && object && !target->subresource)
        reply_json(request, 200, to_v1(object));
    else if (object && !strcmp(request->method, "DELETE"))
        write_delete(self, request, target);
    else
        reply_not_allowed(request);
}

bool autoscaling_v1_handle(api_t *self, request_t *request)
{
    target_t target;
    if (strncmp(request->path, ROOT, sizeof(ROOT) - 1) != 0)
        return false;
    AUTO_FREE char *path = xasprintf(CURRENT "%s", request->path + sizeof(ROOT) - 1);
    bool is_found = route_parse(path, &target);
    if (is_found)
        handle(self, request, &target);
    target_done(&target);
    return is_found;
}
