/* Older versions of kinds, in the form in which older clients make and read them: autoscaling/v1,
 * which knows the use of CPU alone, batch/v1beta1 and policy/v1beta1, which differ in nothing but
 * their name. Read, listed, made and deleted; changed and watched as what they are now. */
#include "services/cluster/env/api/api_internal.h"

#include "services/cluster/env/api/body.h"
#include "services/cluster/env/api/route.h"
#include "services/cluster/env/api/status.h"
#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

/* One kind as it was. */
typedef struct old_version {
    kind_t kind;         /* not in the table of kinds */
    const char *version; /* "autoscaling/v1" */
    const char *root;    /* of its paths */
    const char *present_root;
    json_t *(*to_old)(const json_t *object); /* a new object */
    void (*to_present)(json_t *object);      /* changes it in place */
} old_version_t;

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

static json_t *autoscaler_to_v1(const json_t *object)
{
    const json_t *spec = json_object_get(object, "spec");
    const json_t *status = json_object_get(object, "status");
    json_t *old = json_pack("{s:s, s:O, s:{}, s:{}}", "kind", "HorizontalPodAutoscaler", "metadata",
        json_object_get(object, "metadata"), "spec", "status");
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
static void autoscaler_to_v2(json_t *object)
{
    json_t *spec = json_object_get(object, "spec");
    json_t *share = json_object_get(spec, "targetCPUUtilizationPercentage");
    if (share)
        json_object_set_new(spec, "metrics",
            json_pack("[{s:s, s:{s:s, s:{s:s, s:O}}}]", "type", "Resource", "resource", "name",
                "cpu", "target", "type", "Utilization", "averageUtilization", share));
    json_object_del(spec, "targetCPUUtilizationPercentage");
}

static json_t *unchanged(const json_t *object)
{
    return json_copy((json_t *)object);
}

static void change_nothing(json_t *object)
{
    (void)object;
}

static const old_version_t old_versions[] = {
    {.kind = {.name = "HorizontalPodAutoscaler",
         .version = "v1",
         .type = "autoscaling/v1.HorizontalPodAutoscaler"},
        .version = "autoscaling/v1",
        .root = "/apis/autoscaling/v1/",
        .present_root = "/apis/autoscaling/v2/",
        .to_old = autoscaler_to_v1,
        .to_present = autoscaler_to_v2},
    {.kind = {.name = "CronJob", .version = "v1beta1", .type = "batch/v1.CronJob"},
        .version = "batch/v1beta1",
        .root = "/apis/batch/v1beta1/",
        .present_root = "/apis/batch/v1/",
        .to_old = unchanged,
        .to_present = change_nothing},
    {.kind = {.name = "PodDisruptionBudget",
         .version = "v1beta1",
         .type = "policy/v1.PodDisruptionBudget"},
        .version = "policy/v1beta1",
        .root = "/apis/policy/v1beta1/",
        .present_root = "/apis/policy/v1/",
        .to_old = unchanged,
        .to_present = change_nothing},
};

/* ---- requests ----------------------------------------------------------------------------- */

static json_t *old_object(const old_version_t *self, const json_t *object)
{
    json_t *old = self->to_old(object);
    json_object_set_new(old, "apiVersion", json_string(self->version));
    return old;
}

typedef struct listing {
    const old_version_t *version;
    json_t *items;
} listing_t;

static void add_item(void *arg, json_t *object)
{
    listing_t *self = arg;
    json_array_append_new(self->items, old_object(self->version, object));
}

static void list(const old_version_t *self, api_t *api, request_t *request, const target_t *target)
{
    listing_t listing = {.version = self, .items = json_array()};
    store_each(api->store, target->kind, target->namespace, add_item, &listing);
    reply_json(request, 200,
        json_pack("{s:o, s:s, s:{s:o}, s:o}", "kind", json_sprintf("%sList", self->kind.name),
            "apiVersion", self->version, "metadata", "resourceVersion",
            json_sprintf("%llu", (unsigned long long)store_version(api->store)), "items",
            listing.items));
}

/* The object in the body as it is now, or NULL if the request was answered. */
static json_t *read_body(const old_version_t *self, request_t *request)
{
    err_t err = {0};
    json_t *object = body_decode(request, &err);
    if (!object || strcmp(object_string(object, "apiVersion"), self->version) != 0
        || strcmp(object_string(object, "kind"), self->kind.name) != 0) {
        json_decref(object);
        if (*err.text)
            reply_bad_request(request, "%s", err.text);
        else
            reply_bad_request(request, "the body is no %s %s", self->version, self->kind.name);
        return NULL;
    }
    object = body_check(request, &self->kind, object);
    if (object) {
        self->to_present(object);
        json_object_del(object, "status");
    }
    return object;
}

static void create(
    const old_version_t *self, api_t *api, request_t *request, const target_t *target)
{
    err_t err = {0};
    causes_t causes;
    json_t *next = NULL;
    json_t *object = read_body(self, request);
    if (!object)
        return;
    object_set(object, "metadata.namespace", json_string(target->namespace));
    AUTO_FREE char *name = xstrdup(object_name(object));
    if (store_prepare_new(api->store, target->kind, object, &next, &err) < 0) {
        reply_store_error(request, target->kind, name, &err);
        return;
    }
    causes_init(&causes);
    target->kind->validate(next, NULL, &causes);
    if (!causes_is_empty(&causes)) {
        reply_invalid(request, target->kind, name, &causes);
        json_decref(next);
    } else if (request_query(request, "dryRun")) {
        reply_json(request, 201, old_object(self, next));
        json_decref(next);
    } else {
        version_t *stored = store_commit(api->store, STORE_ADDED, target->kind, next);
        reply_json(request, 201, old_object(self, stored->object));
    }
    causes_done(&causes);
}

static void handle(
    const old_version_t *self, api_t *api, request_t *request, const target_t *target)
{
    bool is_get = !strcmp(request->method, "GET");
    const json_t *object =
        target->name ? store_get(api->store, target->kind, target->namespace, target->name) : NULL;
    if (is_get && !target->name && !request_flag(request, "watch"))
        list(self, api, request, target);
    else if (!target->name && target->namespace && !strcmp(request->method, "POST"))
        create(self, api, request, target);
    else if (target->name && !object)
        reply_not_found(request, target->kind, target->name);
    else if (is_get && object && !target->subresource)
        reply_json(request, 200, old_object(self, object));
    else if (object && !strcmp(request->method, "DELETE"))
        write_delete(api, request, target);
    else
        reply_not_allowed(request);
}

const kind_t *old_version_of(const kind_t *kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(old_versions); i++) {
        if (!strcmp(old_versions[i].kind.name, kind->name))
            return &old_versions[i].kind;
    }
    return NULL;
}

bool old_versions_handle(api_t *api, request_t *request)
{
    for (size_t i = 0; i < ARRAY_SIZE(old_versions); i++) {
        const old_version_t *self = &old_versions[i];
        size_t length = strlen(self->root);
        target_t target;
        if (strncmp(request->path, self->root, length) != 0)
            continue;
        AUTO_FREE char *path = xasprintf("%s%s", self->present_root, request->path + length);
        bool is_found =
            route_parse(api->store, path, &target) && !strcmp(target.kind->name, self->kind.name);
        if (is_found)
            handle(self, api, request, &target);
        target_done(&target);
        return is_found;
    }
    return false;
}
