/* Create, replace, patch. */
#include "services/cluster/env/api/api_internal.h"

#include "services/cluster/env/admission/admission.h"
#include "services/cluster/env/api/apply.h"
#include "services/cluster/env/api/body.h"
#include "services/cluster/env/api/escalate.h"
#include "services/cluster/env/api/patch.h"
#include "services/cluster/env/api/query.h"
#include "services/cluster/env/api/served.h"
#include "services/cluster/env/api/status.h"
#include "services/cluster/env/api/write.h"
#include "services/cluster/env/custom.h"
#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

/* ---- what writes share -------------------------------------------------------------------- */

bool write_read_dry_run(request_t *request, bool *is_dry_p)
{
    const char *value = request_query(request, "dryRun");
    *is_dry_p = value && *value;
    if (!*is_dry_p || !strcmp(value, "All"))
        return true;
    reply_status(request, 422, "Invalid", NULL,
        " \"\" is invalid: dryRun: Unsupported value: \"%s\": supported values: \"All\"", value);
    return false;
}

/* The namespace and name in the body must be those in the URL. */
static bool check_place(request_t *request, const target_t *target, const json_t *object)
{
    const char *namespace = object_namespace(object);
    const char *name = object_name(object);
    if (target->namespace && *namespace && strcmp(namespace, target->namespace) != 0) {
        reply_bad_request(request, "the namespace of the provided object does not match the "
                                   "namespace sent on the request");
        return false;
    }
    if (target->name && *name && strcmp(name, target->name) != 0) {
        reply_bad_request(request,
            "the name of the object (%s) does not match the name on the URL (%s)", name,
            target->name);
        return false;
    }
    return true;
}

static void set_place(const target_t *target, json_t *object)
{
    json_t *metadata = json_object_get(object, "metadata");
    if (target->namespace)
        json_object_set_new(metadata, "namespace", json_string(target->namespace));
    if (target->name)
        json_object_set_new(metadata, "name", json_string(target->name));
}

static bool check_valid(
    api_t *self, request_t *request, const kind_t *kind, const json_t *object, const json_t *old)
{
    causes_t causes;
    causes_init(&causes);
    kind_validate(kind, object, old, &causes);
    if (kind->check_taken && causes_is_empty(&causes))
        kind->check_taken(self->store, object, &causes);
    bool is_valid = causes_is_empty(&causes);
    if (!is_valid)
        reply_invalid(request, kind, object_name(object), &causes);
    causes_done(&causes);
    return is_valid && escalate_check(self, request, kind, object, old);
}

static bool check_admitted(
    api_t *self, request_t *request, const kind_t *kind, const json_t *object, const json_t *old)
{
    err_t err = {0};
    json_auto_t *warnings = json_array();
    size_t i;
    json_t *warning;
    bool is_admitted = admission_check(self->store, kind, object, old, warnings, &err) == 0;
    json_array_foreach(warnings, i, warning) reply_warn(request, json_string_value(warning));
    if (!is_admitted)
        reply_store_error(request, kind, object_name(object), &err);
    return is_admitted;
}

void write_reply(request_t *request, const target_t *target, int status, version_t *version)
{
    AUTO(buffer_done) buffer_t body = {0};
    served_text(&body, target->served, version);
    reply_buffer(request, status, "application/json", &body);
}

/* What would be stored; takes object. */
static void reply_dry(request_t *request, const target_t *target, int status, json_t *object)
{
    reply_json(request, status, served_object(target->served, object));
    json_decref(object);
}

/* Who wants a certificate is what the server knows, not what the request says. */
static void note_requestor(const request_t *request, const kind_t *kind, json_t *object)
{
    json_t *spec = json_object_get(object, "spec");
    const user_t *user = &request->user;
    if (!kind_is(kind, "CertificateSigningRequest") || !json_is_object(spec))
        return;
    json_object_set_new(spec, "username", json_string(user->name));
    json_object_set(spec, "groups", user->groups);
    if (*user->uid)
        json_object_set_new(spec, "uid", json_string(user->uid));
    else
        json_object_del(spec, "uid");
    if (json_object_size(user->extra))
        json_object_set(spec, "extra", user->extra);
    else
        json_object_del(spec, "extra");
}

void write_new(api_t *self, request_t *request, const target_t *target, json_t *object)
{
    err_t err = {0};
    bool is_dry;
    json_t *next = NULL;
    if (!write_read_dry_run(request, &is_dry)) {
        json_decref(object);
        return;
    }
    set_place(target, object);
    note_requestor(request, target->kind, object);
    if (target->served->has_status && !kind_is(target->kind, "Node"))
        json_object_del(object, "status");
    AUTO_FREE char *name = xstrdup(object_name(object));
    if (store_prepare_new(self->store, target->kind, object, &next, &err) < 0) {
        reply_store_error(request, target->kind, name, &err);
    } else if (!check_valid(self, request, target->served, next, NULL)
               || !check_admitted(self, request, target->kind, next, NULL)) {
        json_decref(next);
    } else if (is_dry) {
        reply_dry(request, target, 201, next);
    } else {
        write_reply(
            request, target, 201, store_commit(self->store, STORE_ADDED, target->kind, next));
    }
}

void write_change(
    api_t *self, request_t *request, const target_t *target, json_t *object, store_part_t part)
{
    err_t err = {0};
    bool is_dry;
    json_t *next = NULL;
    const kind_t *kind = target->kind;
    if (!write_read_dry_run(request, &is_dry)) {
        json_decref(object);
        return;
    }
    set_place(target, object);
    if (store_prepare_change(self->store, kind, object, part, &next, &err) < 0) {
        reply_store_error(request, kind, target->name, &err);
        return;
    }
    version_t *old = store_version_of(self->store, kind, target->namespace, target->name);
    if (!next) {
        write_reply(request, target, 200, old);
    } else if ((part != STORE_STATUS || kind->custom)
               && (!check_valid(self, request, target->served, next, old->object)
                   || !check_admitted(self, request, kind, next, old->object))) {
        json_decref(next);
    } else if (is_dry) {
        reply_dry(request, target, 200, next);
    } else {
        write_reply(request, target, 200, store_finish_change(self->store, kind, next));
    }
}

/* ---- create and replace ------------------------------------------------------------------- */

static bool is_leaving(const target_t *target)
{
    return target->kind->custom && custom_is_leaving(target->kind->custom->definition);
}

void write_create(api_t *self, request_t *request, const target_t *target)
{
    if (target->kind->is_namespaced && !target->namespace) {
        reply_bad_request(request, "namespace is required");
        return;
    }
    if (is_leaving(target)) {
        reply_status(request, 405, "MethodNotAllowed", NULL,
            "create not allowed while custom resource definition is terminating");
        return;
    }
    json_t *object = body_object(request, target->served);
    if (object && check_place(request, target, object)) {
        managed_note_change(target->kind, NULL, object, request_query(request, "fieldManager"));
        write_new(self, request, target, object);
    } else {
        json_decref(object);
    }
}

static bool is_ephemeral(const target_t *target)
{
    return target->subresource && !strcmp(target->subresource, "ephemeralcontainers");
}

static store_part_t part_of(const target_t *target)
{
    return target->subresource && !is_ephemeral(target) ? STORE_STATUS : STORE_SPEC;
}

/* The object as it was, but for what the subresource is about. Takes object. */
static json_t *keep_part(const target_t *target, const json_t *old, json_t *object)
{
    if (!is_ephemeral(target))
        return object;
    json_t *kept = json_deep_copy(old);
    json_t *list = json_deep_copy(object_at(object, "spec.ephemeralContainers"));
    json_object_del(json_object_get(kept, "spec"), "ephemeralContainers");
    if (list) /* none is what is left of an empty list */
        json_object_set_new(json_object_get(kept, "spec"), "ephemeralContainers", list);
    json_object_set(json_object_get(kept, "metadata"), "resourceVersion",
        object_at(object, "metadata.resourceVersion"));
    json_decref(object);
    return kept;
}

/* The object that is to change, or NULL if the request was answered. */
static version_t *find_old(api_t *self, request_t *request, const target_t *target)
{
    bool has_part = !target->subresource || target->served->has_status;
    version_t *old = store_version_of(self->store, target->kind, target->namespace, target->name);
    if (old && has_part)
        return old;
    if (has_part)
        reply_not_found(request, target->kind, target->name);
    else
        reply_status(
            request, 404, "NotFound", NULL, "the server could not find the requested resource");
    return NULL;
}

void write_replace(api_t *self, request_t *request, const target_t *target)
{
    const version_t *old = find_old(self, request, target);
    if (!old)
        return;
    json_t *object = body_object(request, target->served);
    if (!object || !check_place(request, target, object)) {
        json_decref(object);
        return;
    }
    object = keep_part(target, old->object, object);
    managed_note_change(target->kind, old->object, object, request_query(request, "fieldManager"));
    write_change(self, request, target, object, part_of(target));
}

/* ---- patch -------------------------------------------------------------------------------- */

static bool is_type(const request_t *request, const char *type)
{
    size_t length = strlen(type);
    return request->content_type && !strncmp(request->content_type, type, length)
           && strchr("; ", request->content_type[length]);
}

/* The patched object, or NULL if the request was answered. */
static json_t *patched(request_t *request, const target_t *target, const json_t *old)
{
    err_t err = {0};
    json_auto_t *patch = body_decode(request, &err);
    json_auto_t *result = NULL;
    bool is_json_patch = is_type(request, "application/json-patch+json");
    if (!patch) {
        reply_bad_request(request, "%s", err.text);
        return NULL;
    }
    if (is_json_patch)
        result = patch_json(old, patch, &err);
    else if (is_type(request, "application/merge-patch+json"))
        result = patch_merge(old, patch);
    else
        result = patch_strategic(old, patch, target->kind->type, &err);
    if (!result && is_json_patch)
        reply_status(request, 422, "Invalid", json_object(),
            "the server rejected our request due to an error in our request");
    else if (!result)
        reply_bad_request(request, "%s", err.text);
    return result ? json_deep_copy(result) : NULL;
}

void write_patch(api_t *self, request_t *request, const target_t *target)
{
    if (is_type(request, "application/apply-patch+yaml")) {
        apply_handle(self, request, target);
        return;
    }
    bool is_strategic = is_type(request, "application/strategic-merge-patch+json");
    if (!is_type(request, "application/json-patch+json")
        && !is_type(request, "application/merge-patch+json")
        && !(is_strategic && !target->kind->custom)) {
        reply_status(request, 415, "UnsupportedMediaType", NULL,
            "the body of the request was in an unknown format - accepted media types include: "
            "application/json-patch+json, application/merge-patch+json, "
            "application/apply-patch+yaml");
        return;
    }
    const version_t *old = find_old(self, request, target);
    json_t *object = old ? patched(request, target, old->object) : NULL;
    object = object ? body_check(request, target->served, object) : NULL;
    if (!object)
        return;
    if (!check_place(request, target, object)) {
        json_decref(object);
        return;
    }
    object = keep_part(target, old->object, object);
    managed_note_change(target->kind, old->object, object, request_query(request, "fieldManager"));
    write_change(self, request, target, object, part_of(target));
}
