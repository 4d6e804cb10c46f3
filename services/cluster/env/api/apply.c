/* Server-side apply with the field sets of managedFields. */
#include "services/cluster/env/api/apply.h"

#include "services/cluster/env/api/body.h"
#include "services/cluster/env/api/fieldset.h"
#include "services/cluster/env/api/status.h"
#include "services/cluster/env/api/write.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/schema/fields.h"

#include "base/auto.h"
#include "base/mem.h"

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

/* ---- entries ------------------------------------------------------------------------------ */

static json_t *entries_of(const json_t *object)
{
    return object_at(object, "metadata.managedFields");
}

static const json_t *fields_of(const json_t *entry)
{
    return json_object_get(entry, "fieldsV1");
}

static bool is_entry_of(const json_t *entry, const char *manager, const char *operation)
{
    return !strcmp(object_string(entry, "manager"), manager)
           && !strcmp(object_string(entry, "operation"), operation);
}

static const json_t *find_entry(const json_t *entries, const char *manager, const char *operation)
{
    size_t i;
    json_t *entry;
    json_array_foreach(entries, i, entry)
    {
        if (is_entry_of(entry, manager, operation))
            return entry;
    }
    return NULL;
}

/* Appends an entry for a set (taken), unless it is empty; the time of an unchanged one stays. */
static void add_entry(json_t *entries, const json_t *before, const char *manager,
    const char *operation, const char *api_version, json_t *set)
{
    if (!json_object_size(set)) {
        json_decref(set);
        return;
    }
    json_t *time = json_equal(fields_of(before), set) ? json_incref(json_object_get(before, "time"))
                                                      : object_time_now();
    json_array_append_new(entries,
        json_pack("{s:s, s:s, s:s, s:o, s:s, s:o}", "manager", manager, "operation", operation,
            "apiVersion", api_version, "time", time, "fieldsType", "FieldsV1", "fieldsV1", set));
}

static void set_entries(json_t *object, json_t *entries)
{
    json_t *metadata = json_object_get(object, "metadata");
    if (json_array_size(entries))
        json_object_set(metadata, "managedFields", entries);
    else
        json_object_del(metadata, "managedFields");
}

/* ---- ordinary changes --------------------------------------------------------------------- */

void managed_note_change(const kind_t *kind, const json_t *old, json_t *object, const char *manager)
{
    const json_t *before = entries_of(old);
    size_t i;
    json_t *entry;
    if (!before) {
        json_object_del(json_object_get(object, "metadata"), "managedFields");
        return;
    }
    if (json_is_array(entries_of(object)) && !json_equal(entries_of(object), before))
        return; /* the client itself rewrites them, as kubectl does when it migrates */
    if (!manager || !*manager)
        manager = "unknown";
    json_auto_t *present = fieldset_of(object, kind->type);
    json_auto_t *changed = fieldset_differing(present, object, old);
    json_auto_t *entries = json_array();
    json_array_foreach(before, i, entry)
    {
        if (is_entry_of(entry, manager, "Update"))
            continue;
        json_auto_t *left = fieldset_and(fields_of(entry), present);
        add_entry(entries, entry, object_string(entry, "manager"),
            object_string(entry, "operation"), object_string(entry, "apiVersion"),
            fieldset_minus(left, changed));
    }
    const json_t *own = find_entry(before, manager, "Update");
    json_auto_t *kept = fieldset_and(fields_of(own), present);
    add_entry(entries, own, manager, "Update", kind_api_version(kind), fieldset_or(kept, changed));
    set_entries(object, entries);
}

/* ---- merging ------------------------------------------------------------------------------ */

static json_t *merge(const json_t *live, const json_t *applied, const char *type);

/* The element of live that has the same list keys as wanted; -1 for none. */
static long same_element(const json_t *live, const json_t *wanted, const char *list_keys)
{
    size_t i;
    json_t *element;
    json_array_foreach(live, i, element)
    {
        bool is_same = true;
        for (const char *at = list_keys; *at && is_same;) {
            size_t length = strcspn(at, ",");
            AUTO_FREE char *key = xstrndup(at, length);
            const char *otherwise = !strcmp(key, "protocol") ? "TCP" : "";
            json_auto_t *missing = json_string(otherwise);
            const json_t *left = json_object_get(element, key);
            const json_t *right = json_object_get(wanted, key);
            is_same = json_equal(left ? left : missing, right ? right : missing);
            at += length + (at[length] == ',');
        }
        if (is_same)
            return (long)i;
    }
    return -1;
}

static json_t *merge_list(const json_t *live, const json_t *applied, const field_t *field)
{
    json_t *result = json_is_array(live) ? json_copy((json_t *)live) : json_array();
    size_t i;
    json_t *element;
    json_array_foreach(applied, i, element)
    {
        long at = field->list_keys ? same_element(result, element, field->list_keys) : -1;
        bool is_there = false;
        for (size_t j = 0; !field->list_keys && j < json_array_size(result); j++)
            is_there = is_there || json_equal(json_array_get(result, j), element);
        if (at >= 0)
            json_array_set_new(result, (size_t)at,
                merge(json_array_get(result, (size_t)at), element, field->value));
        else if (!is_there)
            json_array_append(result, element);
    }
    return result;
}

static json_t *merge_value(const json_t *live, json_t *applied, const field_t *field)
{
    bool is_atomic = !field || field->flags & FIELD_ATOMIC;
    if (!is_atomic && json_is_object(applied))
        return merge(live, applied, field->shape == SHAPE_MAP ? "" : field->value);
    if (!is_atomic && json_is_array(applied) && field->shape == SHAPE_LIST
        && (field->list_keys || field->flags & FIELD_SET))
        return merge_list(live, applied, field);
    return json_incref(applied);
}

/* What is applied laid over what is there. In maps (type "") every value is laid whole. */
static json_t *merge(const json_t *live, const json_t *applied, const char *type)
{
    json_t *result = json_is_object(live) ? json_copy((json_t *)live) : json_object();
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)applied, key, value) json_object_set_new(
        result, key, merge_value(json_object_get(result, key), value, field_find(type, key)));
    return result;
}

/* ---- applying ----------------------------------------------------------------------------- */

typedef struct application {
    const kind_t *kind;
    const char *manager;
    const json_t *live; /* NULL: to be created */
    json_t *config;     /* what is applied */
    json_t *set;        /* its fields */
    json_t *before;     /* the live object's entries, or what stands for them */
    json_t *causes;     /* conflicts, as in Status.details */
    json_t *entries;    /* the new managedFields */
} application_t;

static void application_done(application_t *self)
{
    json_decref(self->config);
    json_decref(self->set);
    json_decref(self->before);
    json_decref(self->causes);
    json_decref(self->entries);
}

/* What kubectl applied from its own side says itself which fields it set. */
static json_t *applied_by_client(const json_t *live, const char *type)
{
    const char *text = object_annotation(live, LAST_APPLIED);
    json_auto_t *config = text ? json_loads(text, 0, NULL) : NULL;
    json_auto_t *set = json_is_object(config) ? fieldset_of(config, type) : NULL;
    json_auto_t *annotation =
        json_pack("{s:{s:{s:{}}}}", "f:metadata", "f:annotations", "f:" LAST_APPLIED);
    return set ? fieldset_or(set, annotation) : json_object();
}

/* The fields of an object that nobody applied on the server before belong to kubectl, where it has
 * applied them itself, and otherwise to a manager of that name. */
static json_t *entries_before(const application_t *self)
{
    const char *type = self->kind->type;
    const char *version = kind_api_version(self->kind);
    if (json_is_array(entries_of(self->live)))
        return json_incref(entries_of(self->live));
    json_t *entries = json_array();
    if (!self->live)
        return entries;
    json_auto_t *all = fieldset_of(self->live, type);
    json_auto_t *wanted = applied_by_client(self->live, type);
    json_t *applied = fieldset_and(all, wanted);
    json_t *rest = fieldset_minus(all, applied);
    add_entry(entries, NULL, "kubectl-client-side-apply", "Update", version, applied);
    add_entry(entries, NULL, "before-first-apply", "Update", version, rest);
    return entries;
}

static void add_conflicts(application_t *self, const json_t *entry, const json_t *set)
{
    json_auto_t *paths = json_array();
    bool is_update = strcmp(object_string(entry, "operation"), "Apply") != 0;
    size_t i;
    json_t *path;
    fieldset_paths(set, "", paths);
    json_array_foreach(paths, i, path) json_array_append_new(self->causes,
        json_pack("{s:s, s:o, s:O}", "reason", "FieldManagerConflict", "message",
            json_sprintf("conflict with \"%s\"%s%s", object_string(entry, "manager"),
                is_update ? " using " : "", is_update ? object_string(entry, "apiVersion") : ""),
            "field", path));
}

/* Conflicts with the other managers, and what they keep if they must give way. */
static void look_at_others(application_t *self)
{
    size_t i;
    json_t *entry;
    json_array_foreach(self->before, i, entry)
    {
        if (is_entry_of(entry, self->manager, "Apply"))
            continue;
        json_auto_t *shared = fieldset_and(self->set, fields_of(entry));
        json_auto_t *conflicting = fieldset_differing(shared, self->config, self->live);
        add_conflicts(self, entry, conflicting);
        add_entry(self->entries, entry, object_string(entry, "manager"),
            object_string(entry, "operation"), object_string(entry, "apiVersion"),
            fieldset_minus(fields_of(entry), conflicting));
    }
}

/* What this manager applied before, does not apply now, and nobody else has: to be removed. */
static json_t *abandoned(const application_t *self)
{
    const json_t *own = find_entry(self->before, self->manager, "Apply");
    json_t *rest = fieldset_minus(fields_of(own), self->set);
    size_t i;
    json_t *entry;
    json_array_foreach(self->entries, i, entry)
    {
        json_t *less = fieldset_minus(rest, fields_of(entry));
        json_decref(rest);
        rest = less;
    }
    return rest;
}

static void reply_conflict(request_t *request, const application_t *self)
{
    size_t count = json_array_size(self->causes);
    const json_t *first = json_array_get(self->causes, 0);
    AUTO(buffer_done) buffer_t message = {0};
    json_auto_t *details = json_pack("{s:O}", "causes", self->causes);
    size_t i;
    json_t *cause;
    buffer_format(&message, "Apply failed with %zu conflict%s: ", count, count > 1 ? "s" : "");
    if (count == 1)
        buffer_format(
            &message, "%s: %s", object_string(first, "message"), object_string(first, "field"));
    const char *previous = "";
    json_array_foreach(self->causes, i, cause)
    {
        const char *with = object_string(cause, "message") + strlen("conflict with ");
        if (count > 1 && strcmp(with, previous) != 0)
            buffer_format(&message, "%sconflicts with %s:", *previous ? "\n" : "", with);
        if (count > 1)
            buffer_format(&message, "\n- %s", object_string(cause, "field"));
        previous = with;
    }
    reply_status(request, 409, "Conflict", json_incref(details), "%s", message.bytes);
}

static json_t *result_of(application_t *self)
{
    json_auto_t *merged = merge(self->live, self->config, self->kind->type);
    json_t *result = json_deep_copy(merged);
    json_auto_t *gone = abandoned(self);
    json_auto_t *unknown = json_array();
    fieldset_remove(gone, result);
    if (!self->kind->custom) /* drops what is empty now */
        (void)fields_check(result, self->kind->type, unknown, NULL);
    add_entry(self->entries, find_entry(self->before, self->manager, "Apply"), self->manager,
        "Apply", kind_api_version(self->kind), json_incref(self->set));
    set_entries(result, self->entries);
    return result;
}

static void apply(api_t *api, request_t *request, const target_t *target, application_t *self)
{
    const char *version = object_string(self->config, "metadata.resourceVersion");
    self->set = fieldset_of(self->config, self->kind->type);
    self->before = entries_before(self);
    self->causes = json_array();
    self->entries = json_array();
    look_at_others(self);
    if (json_array_size(self->causes) && !request_flag(request, "force")) {
        reply_conflict(request, self);
        return;
    }
    json_t *result = result_of(self);
    if (!self->live) {
        write_new(api, request, target, result);
        return;
    }
    if (!*version) /* no precondition unless the client names one */
        json_object_del(json_object_get(result, "metadata"), "resourceVersion");
    write_change(api, request, target, result, STORE_SPEC);
}

void apply_handle(api_t *api, request_t *request, const target_t *target)
{
    AUTO(application_done)
    application_t self = {.kind = target->kind,
        .manager = request_query(request, "fieldManager"),
        .live = store_get(api->store, target->kind, target->namespace, target->name)};
    if (target->subresource) {
        reply_status(request, 415, "UnsupportedMediaType", NULL,
            "server-side apply is not offered for the subresource \"%s\"", target->subresource);
        return;
    }
    if (!self.manager || !*self.manager) {
        reply_status(request, 422, "Invalid", NULL,
            "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required "
            "for apply patch");
        return;
    }
    self.config = body_object(request, target->served);
    if (!self.config)
        return;
    if (json_array_size(entries_of(self.config))) {
        reply_bad_request(request, "metadata.managedFields must be nil");
        return;
    }
    const char *name = object_name(self.config);
    if (*name && strcmp(name, target->name) != 0) {
        reply_bad_request(request,
            "the name of the object (%s) does not match the name on the URL (%s)", name,
            target->name);
        return;
    }
    json_object_del(self.config, "status");
    apply(api, request, target, &self);
}
