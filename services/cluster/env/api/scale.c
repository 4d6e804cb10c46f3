/* The scale subresource: a Deployment's or ReplicaSet's replicas as an object of its own. */
#include "services/cluster/env/api/api_internal.h"

#include "services/cluster/env/api/apply.h"
#include "services/cluster/env/api/body.h"
#include "services/cluster/env/api/patch.h"
#include "services/cluster/env/api/status.h"
#include "services/cluster/env/api/table.h"
#include "services/cluster/env/custom.h"
#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

/* A dotted path in a custom object, or the one that built-in kinds have. */
static const char *path_of(const kind_t *kind, const char *key, const char *otherwise)
{
    const char *path = kind->custom ? object_string(kind->custom->scale, key) : otherwise;
    return path + (*path == '.');
}

static char *selector_text(const kind_t *kind, const json_t *object)
{
    if (kind->custom)
        return xstrdup(object_string(object, path_of(kind, "labelSelectorPath", "")));
    AUTO_FREE char *text = xstrdup("");
    const char *key;
    json_t *value;
    json_object_foreach(object_at(object, "spec.selector.matchLabels"), key, value)
    {
        char *longer = xasprintf("%s%s%s=%s", text, *text ? "," : "", key,
            json_is_string(value) ? json_string_value(value) : "");
        free(text);
        text = longer;
    }
    return TAKE(text);
}

static json_t *scale_of(const kind_t *kind, const json_t *object)
{
    AUTO_FREE char *selector = selector_text(kind, object);
    json_t *spec = json_object();
    int64_t replicas =
        object_integer(object, path_of(kind, "specReplicasPath", "spec.replicas"), 0);
    if (replicas)
        json_object_set_new(spec, "replicas", json_integer(replicas));
    return json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:s, s:s}, s:o, s:{s:I, s:s}}", "kind", "Scale",
        "apiVersion", "autoscaling/v1", "metadata", "name", object_name(object), "namespace",
        object_namespace(object), "uid", object_uid(object), "resourceVersion",
        object_string(object, "metadata.resourceVersion"), "creationTimestamp",
        object_string(object, "metadata.creationTimestamp"), "spec", spec, "status", "replicas",
        (json_int_t)object_integer(
            object, path_of(kind, "statusReplicasPath", "status.replicas"), 0),
        "selector", selector);
}

static void scale_row(const json_t *scale, time_t now, json_t *cells)
{
    cells_string(cells, object_name(scale));
    cells_integer(cells, object_integer(scale, "spec.replicas", 0));
    cells_integer(cells, object_integer(scale, "status.replicas", 0));
    cells_age(cells, scale, now);
}

static void reply_scale(request_t *request, const kind_t *kind, const json_t *object)
{
    static const kind_column_t columns[] = {
        COLUMN_NAME, COLUMN_INTEGER("Desired"), COLUMN_INTEGER("Available"), COLUMN_AGE, {0}};
    static const kind_t printed = {.name = "Scale", .columns = columns, .row = scale_row};
    json_auto_t *scale = scale_of(kind, object);
    if (!table_is_wanted(request)) {
        reply_json(request, 200, json_incref(scale));
        return;
    }
    json_t *table = table_new(&printed, json_object(), true);
    table_add(table, &printed, scale, request_query(request, "includeObject"));
    reply_json(request, 200, table);
}

/* What the request makes of the present scale, or NULL if it was answered. */
static json_t *changed_scale(request_t *request, const kind_t *kind, const json_t *object)
{
    err_t err = {0};
    json_auto_t *scale = scale_of(kind, object);
    json_auto_t *body = body_decode(request, &err);
    json_t *result = NULL;
    const char *type = request->content_type ? request->content_type : "";
    if (!body)
        reply_bad_request(request, "%s", err.text);
    else if (!strcmp(request->method, "PUT"))
        result = json_incref(body);
    else if (!strncmp(type, "application/json-patch+json", 27))
        result = patch_json(scale, body, &err);
    else
        result = patch_merge(scale, body); /* Scale has no lists to merge strategically */
    if (body && !result)
        reply_status(request, 422, "Invalid", json_object(),
            "the server rejected our request due to an error in our request");
    return result;
}

static bool check_scale(request_t *request, const target_t *target, const json_t *scale)
{
    const json_t *replicas = object_at(scale, "spec.replicas");
    causes_t causes;
    if (!json_is_object(scale) || (replicas && !json_is_integer(replicas))) {
        reply_bad_request(request, "Scale in version \"v1\" cannot be handled as a Scale: json: "
                                   "cannot unmarshal into Go struct field ScaleSpec.spec.replicas "
                                   "of type int32");
        return false;
    }
    if (object_integer(scale, "spec.replicas", 0) >= 0)
        return true;
    causes_init(&causes);
    causes_invalid(&causes, "spec.replicas", replicas, "must be greater than or equal to 0");
    reply_invalid(request, target->kind, target->name, &causes);
    causes_done(&causes);
    return false;
}

static void change(api_t *self, request_t *request, const target_t *target, json_t *old)
{
    err_t err = {0};
    json_auto_t *scale = changed_scale(request, target->served, old);
    if (!scale || !check_scale(request, target, scale))
        return;
    const char *path = path_of(target->served, "specReplicasPath", "spec.replicas");
    json_t *object = json_deep_copy(old);
    object_set(object, path, json_integer(object_integer(scale, "spec.replicas", 0)));
    const char *version = object_string(scale, "metadata.resourceVersion");
    object_set(object, "metadata.resourceVersion", json_string(version));
    managed_note_change(target->kind, old, object, request_query(request, "fieldManager"));
    json_t *next = NULL;
    if (store_prepare_change(self->store, target->kind, object, STORE_SPEC, &next, &err) < 0) {
        reply_store_error(request, target->kind, target->name, &err);
    } else if (next && request_query(request, "dryRun")) {
        reply_json(request, 200, scale_of(target->served, next));
        json_decref(next);
    } else {
        json_t *now = next ? store_finish_change(self->store, target->kind, next)->object : old;
        reply_json(request, 200, scale_of(target->served, now));
    }
}

void scale_handle(api_t *self, request_t *request, const target_t *target)
{
    json_t *object = store_get(self->store, target->kind, target->namespace, target->name);
    if (!target->served->has_scale)
        reply_status(
            request, 404, "NotFound", NULL, "the server could not find the requested resource");
    else if (!object)
        reply_not_found(request, target->kind, target->name);
    else if (!strcmp(request->method, "GET"))
        reply_scale(request, target->served, object);
    else if (!strcmp(request->method, "PUT") || !strcmp(request->method, "PATCH"))
        change(self, request, target, object);
    else
        reply_not_allowed(request);
}
