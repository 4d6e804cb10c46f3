/* Deleting an object, and all of a collection. */
#include "services/cluster/env/api/body.h"
#include "services/cluster/env/api/query.h"
#include "services/cluster/env/api/served.h"
#include "services/cluster/env/api/status.h"
#include "services/cluster/env/api/write.h"
#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

/* DeleteOptions of body and query. The strings are the body's and the request's. False if the
 * request was answered. */
static bool read_options(request_t *request, json_t **body_p, store_delete_t *options)
{
    err_t err = {0};
    const char *grace = request_query(request, "gracePeriodSeconds");
    *options = (store_delete_t){
        .grace_seconds = -1, .propagation = request_query(request, "propagationPolicy")};
    *body_p = request->body.size ? body_decode(request, &err) : NULL;
    if (request->body.size && !json_is_object(*body_p)) {
        reply_bad_request(request, "%s", *err.text ? err.text : "DeleteOptions must be an object");
        return false;
    }
    const json_t *body = *body_p;
    options->grace_seconds =
        object_integer(body, "gracePeriodSeconds", grace ? strtoll(grace, NULL, 10) : -1);
    if (*object_string(body, "propagationPolicy"))
        options->propagation = object_string(body, "propagationPolicy");
    if (object_is_true(body, "orphanDependents") || request_flag(request, "orphanDependents"))
        options->propagation = "Orphan";
    if (*object_string(body, "preconditions.uid"))
        options->uid = object_string(body, "preconditions.uid");
    if (*object_string(body, "preconditions.resourceVersion"))
        options->resource_version = object_string(body, "preconditions.resourceVersion");
    const char *propagation = options->propagation;
    if (!propagation || !strcmp(propagation, "Background") || !strcmp(propagation, "Foreground")
        || !strcmp(propagation, "Orphan"))
        return true;
    reply_status(request, 422, "Invalid", NULL,
        "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"%s\": "
        "supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"",
        propagation);
    return false;
}

static void reply_deleted(request_t *request, const kind_t *kind, const json_t *object)
{
    json_t *details = status_details(kind, object_name(object));
    json_object_set_new(details, "uid", json_string(object_uid(object)));
    reply_json(request, 200,
        json_pack("{s:s, s:s, s:{}, s:s, s:o}", "kind", "Status", "apiVersion", "v1", "metadata",
            "status", "Success", "details", details));
}

void write_delete(api_t *self, request_t *request, const target_t *target)
{
    err_t err = {0};
    bool is_dry;
    store_delete_t options;
    json_auto_t *body = NULL;
    const kind_t *kind = target->kind;
    if (!write_read_dry_run(request, &is_dry) || !read_options(request, &body, &options))
        return;
    version_t *old = store_version_of(self->store, kind, target->namespace, target->name);
    if (!old) {
        reply_not_found(request, kind, target->name);
        return;
    }
    json_auto_t *object = json_incref(old->object);
    if (is_dry) {
        reply_deleted(request, kind, object);
        return;
    }
    if (store_delete(self->store, kind, target->namespace, target->name, &options, &err) < 0) {
        reply_store_error(request, kind, target->name, &err);
        return;
    }
    version_t *left = store_version_of(self->store, kind, target->namespace, target->name);
    if (left)
        write_reply(request, target, 200, left);
    else
        reply_deleted(request, kind, object);
}

void write_delete_all(api_t *self, request_t *request, const target_t *target)
{
    AUTO(query_done) query_t query = {0};
    bool is_dry;
    store_delete_t options;
    json_auto_t *body = NULL;
    if (!write_read_dry_run(request, &is_dry) || !read_options(request, &body, &options)
        || !query_init(&query, request, target))
        return;
    size_t count;
    version_t **versions = store_versions(self->store, target->kind, target->namespace, &count);
    for (size_t i = 0; i < count && !is_dry; i++) {
        if (query_picks(&query, versions[i]->object)) /* one that is gone meanwhile is fine */
            (void)store_delete(self->store, target->kind, versions[i]->namespace, versions[i]->name,
                &options, NULL);
    }
    store_versions_free(versions, count);
    reply_json(request, 200,
        json_pack("{s:s, s:s, s:{}, s:s}", "kind", "Status", "apiVersion", "v1", "metadata",
            "status", "Success"));
}
