/* CustomResourceDefinition. What a real cluster's controllers do a moment later is done when it is
 * written: names are accepted, if nobody has them, and with them the definition is established. */
#include "services/cluster/env/object.h"
#include "services/cluster/env/store.h"

#include "services/cluster/env/json_path.h"
#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/defaults.h"
#include "services/cluster/env/kinds/kinds.h"
#include "services/cluster/env/schema/structural.h"

#include "base/auto.h"
#include "base/mem.h"

#include <ctype.h>

#define APPROVAL "api-approved.kubernetes.io"

/* ---- names -------------------------------------------------------------------------------- */

typedef struct claim {
    const json_t *object; /* whose names are looked at */
    const char *name;     /* one of them */
    bool is_kind;         /* of a kind, not of a resource */
    bool is_taken;
} claim_t;

static bool has_name(const json_t *names, const char *name, bool is_kind)
{
    size_t i;
    json_t *text;
    if (is_kind)
        return !strcmp(object_string(names, "kind"), name)
               || !strcmp(object_string(names, "listKind"), name);
    json_array_foreach(json_object_get(names, "shortNames"), i, text)
    {
        if (!strcmp(json_string_value(text), name))
            return true;
    }
    return !strcmp(object_string(names, "plural"), name)
           || !strcmp(object_string(names, "singular"), name);
}

static void look_at_other(void *arg, json_t *other)
{
    claim_t *claim = arg;
    if (strcmp(object_name(other), object_name(claim->object)) != 0
        && !strcmp(object_string(other, "spec.group"), object_string(claim->object, "spec.group")))
        claim->is_taken =
            claim->is_taken
            || has_name(object_at(other, "status.acceptedNames"), claim->name, claim->is_kind);
}

static bool is_taken(store_t *store, const json_t *object, const char *name, bool is_kind)
{
    claim_t claim = {.object = object, .name = name, .is_kind = is_kind};
    if (store && *name)
        store_each(store, &kind_custom_resource_definition, NULL, look_at_other, &claim);
    return claim.is_taken;
}

/* The first name that another definition has, and why it matters; "" if there is none. */
static const char *find_conflict(store_t *store, const json_t *object, const char **reason_p)
{
    static const struct {
        const char *path;
        const char *reason;
        bool is_kind;
    } names[] = {{"spec.names.listKind", "ListKindConflict", true},
        {"spec.names.kind", "KindConflict", true},
        {"spec.names.singular", "SingularConflict", false},
        {"spec.names.plural", "PluralConflict", false}};
    size_t i;
    json_t *text;
    for (i = 0; i < ARRAY_SIZE(names); i++) {
        const char *name = object_string(object, names[i].path);
        *reason_p = names[i].reason;
        if (is_taken(store, object, name, names[i].is_kind))
            return name;
    }
    *reason_p = "ShortNamesConflict";
    json_array_foreach(object_at(object, "spec.names.shortNames"), i, text)
    {
        if (is_taken(store, object, json_string_value(text), false))
            return json_string_value(text);
    }
    return "";
}

/* ---- status ------------------------------------------------------------------------------- */

static void set_condition(
    json_t *object, const char *type, bool is_true, const char *reason, const char *message)
{
    json_t *status = default_object(object, "status");
    json_t *present = object_condition(object, type);
    const char *value = is_true ? "True" : "False";
    bool is_same = present && !strcmp(object_string(present, "status"), value);
    json_t *since =
        is_same ? json_incref(json_object_get(present, "lastTransitionTime")) : object_time_now();
    json_t *condition = json_pack("{s:o, s:s, s:s, s:s, s:s}", "lastTransitionTime", since,
        "message", message, "reason", reason, "status", value, "type", type);
    if (present) {
        json_object_update(present, condition);
        json_decref(condition);
        return;
    }
    if (!json_is_array(json_object_get(status, "conditions")))
        json_object_set_new(status, "conditions", json_array());
    json_array_append_new(json_object_get(status, "conditions"), condition);
}

static void accept_names(store_t *store, json_t *object)
{
    const char *reason;
    const char *conflict = find_conflict(store, object, &reason);
    bool was_established =
        !strcmp(object_string(object_condition(object, "Established"), "status"), "True");
    if (*conflict) {
        AUTO_FREE char *message = xasprintf("\"%s\" is already in use", conflict);
        set_condition(object, "NamesAccepted", false, reason, message);
        if (!was_established)
            set_condition(
                object, "Established", false, "NotAccepted", "not all names are accepted");
        return;
    }
    object_set(object, "status.acceptedNames", json_deep_copy(object_at(object, "spec.names")));
    set_condition(object, "NamesAccepted", true, "NoConflicts", "no conflicts found");
    set_condition(object, "Established", true, "InitialNamesAccepted",
        "the initial names have been accepted");
}

static void note_stored_version(json_t *object)
{
    json_t *status = default_object(object, "status");
    json_t *stored = json_object_get(status, "storedVersions");
    size_t i;
    size_t j;
    json_t *version;
    json_t *name;
    if (!json_is_array(stored))
        json_object_set_new(status, "storedVersions", stored = json_array());
    json_array_foreach(object_at(object, "spec.versions"), i, version)
    {
        bool is_there = !object_is_true(version, "storage");
        json_array_foreach(stored, j, name) is_there =
            is_there || !strcmp(json_string_value(name), object_string(version, "name"));
        if (!is_there)
            json_array_append(stored, json_object_get(version, "name"));
    }
}

static void fill_names(json_t *names)
{
    const char *kind = object_string(names, "kind");
    AUTO_FREE char *singular = xstrdup(kind);
    AUTO_FREE char *list = xasprintf("%sList", kind);
    for (char *c = singular; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    if (*kind) {
        default_string(names, "singular", singular);
        default_string(names, "listKind", list);
    }
}

static void fill(store_t *store, json_t *object, const json_t *old)
{
    json_t *spec = default_object(object, "spec");
    json_t *names = spec ? default_object(spec, "names") : NULL;
    (void)old;
    if (!names)
        return;
    if (json_object_get(object, "status")) /* it may be the old object's */
        json_object_set_new(object, "status", json_deep_copy(json_object_get(object, "status")));
    fill_names(names);
    if (!json_object_get(spec, "conversion"))
        json_object_set_new(spec, "conversion", json_pack("{s:s}", "strategy", "None"));
    accept_names(store, object);
    note_stored_version(object);
}

/* ---- validation --------------------------------------------------------------------------- */

static void check_names(causes_t *causes, const json_t *object)
{
    static const char *const needed[] = {
        "spec.names.plural", "spec.names.singular", "spec.names.kind", "spec.names.listKind"};
    const char *why;
    for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
        const char *name = object_string(object, needed[i]);
        AUTO_FREE char *lower = xstrdup(name);
        for (char *c = lower; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        if (!*name)
            causes_required(causes, needed[i], NULL);
        else if (!name_is_valid(i < 2 ? name : lower, NAME_SERVICE, &why))
            causes_invalid(causes, needed[i], object_at(object, needed[i]), why);
    }
    AUTO_FREE char *wanted = xasprintf(
        "%s.%s", object_string(object, "spec.names.plural"), object_string(object, "spec.group"));
    if (strcmp(object_name(object), wanted) != 0)
        causes_invalid(causes, "metadata.name", object_at(object, "metadata.name"),
            "must be spec.names.plural+\".\"+spec.group");
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    return length >= strlen(end) && !strcmp(text + length - strlen(end), end);
}

static void check_group(causes_t *causes, const json_t *object)
{
    const char *why;
    const char *group = object_string(object, "spec.group");
    const json_t *value = object_at(object, "spec.group");
    if (!*group)
        causes_required(causes, "spec.group", NULL);
    else if (!name_is_valid(group, NAME_SUBDOMAIN, &why))
        causes_invalid(causes, "spec.group", value, why);
    else if (!strchr(group, '.'))
        causes_invalid(causes, "spec.group", value, "should be a domain with at least one dot");
    if ((ends_with(group, ".k8s.io") || ends_with(group, ".kubernetes.io"))
        && !object_annotation(object, APPROVAL))
        causes_required(causes, "metadata.annotations[" APPROVAL "]",
            "protected groups must have approval annotation \"" APPROVAL
            "\", see https://github.com/kubernetes/enhancements/pull/1111");
}

static void check_columns(causes_t *causes, const json_t *version, const char *field)
{
    static const char *const types[] = {"boolean", "date", "integer", "number", "string", NULL};
    size_t i;
    json_t *column;
    json_array_foreach(json_object_get(version, "additionalPrinterColumns"), i, column)
    {
        AUTO_FREE char *type = xasprintf("%s.additionalPrinterColumns[%zu].type", field, i);
        AUTO_FREE char *path = xasprintf("%s.additionalPrinterColumns[%zu].jsonPath", field, i);
        bool is_known = false;
        for (size_t j = 0; types[j]; j++)
            is_known = is_known || !strcmp(types[j], object_string(column, "type"));
        if (!is_known)
            causes_unsupported(causes, type, json_object_get(column, "type"), types);
        if (!json_path_is_valid(object_string(column, "jsonPath")))
            causes_invalid(causes, path, json_object_get(column, "jsonPath"),
                "unrecognized character in the path");
    }
}

/* Replicas are written where the path says: nowhere but in the spec. */
static void check_scale(causes_t *causes, const json_t *version, const char *field)
{
    static const struct {
        const char *name;
        const char *root;
    } paths[] = {{"specReplicasPath", ".spec."}, {"statusReplicasPath", ".status."}};
    const json_t *scale = object_at(version, "subresources.scale");
    for (size_t i = 0; scale && i < ARRAY_SIZE(paths); i++) {
        const char *path = object_string(scale, paths[i].name);
        AUTO_FREE char *place = xasprintf("%s.subresources.scale.%s", field, paths[i].name);
        AUTO_FREE char *why = xasprintf(
            "should be a json path under %.*s", (int)strlen(paths[i].root) - 1, paths[i].root);
        if (!*path)
            causes_required(causes, place, NULL);
        else if (strncmp(path, paths[i].root, strlen(paths[i].root)) != 0)
            causes_invalid(causes, place, json_object_get(scale, paths[i].name), why);
    }
}

static void check_version(causes_t *causes, const json_t *version, const char *field)
{
    const json_t *schema = object_at(version, "schema.openAPIV3Schema");
    AUTO_FREE char *schema_path = xasprintf("%s.schema.openAPIV3Schema", field);
    AUTO_FREE char *name_path = xasprintf("%s.name", field);
    const char *why;
    if (!name_is_valid(object_string(version, "name"), NAME_SERVICE, &why))
        causes_invalid(causes, name_path, json_object_get(version, "name"), why);
    if (schema)
        structural_check(schema, schema_path, causes);
    else
        causes_required(causes, schema_path, "schemas are required");
    check_scale(causes, version, field);
    check_columns(causes, version, field);
}

static void check_versions(causes_t *causes, const json_t *versions)
{
    size_t stored = 0;
    size_t i;
    json_t *version;
    json_auto_t *names = json_object();
    json_array_foreach(versions, i, version)
    {
        AUTO_FREE char *field = xasprintf("spec.versions[%zu]", i);
        stored += object_is_true(version, "storage");
        json_object_set_new(names, object_string(version, "name"), json_true());
        check_version(causes, version, field);
    }
    if (json_object_size(names) != json_array_size(versions))
        causes_invalid(causes, "spec.versions", versions, "must contain unique version names");
    if (stored != 1)
        causes_invalid(causes, "spec.versions", versions,
            "must have exactly one version marked as storage version");
}

static void check_unchanged(
    causes_t *causes, const json_t *object, const json_t *old, const char *path)
{
    if (!json_equal(object_at(object, path), object_at(old, path)))
        causes_invalid(causes, path, object_at(object, path), "field is immutable");
}

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    static const char *const scopes[] = {"Cluster", "Namespaced", NULL};
    static const char *const strategies[] = {"None", NULL};
    const char *scope = object_string(object, "spec.scope");
    check_metadata(causes, object, NAME_SUBDOMAIN);
    check_group(causes, object);
    check_names(causes, object);
    if (!*scope)
        causes_required(causes, "spec.scope", NULL);
    else if (strcmp(scope, "Cluster") != 0 && strcmp(scope, "Namespaced") != 0)
        causes_unsupported(causes, "spec.scope", object_at(object, "spec.scope"), scopes);
    check_versions(causes, object_at(object, "spec.versions"));
    if (strcmp(object_string(object, "spec.conversion.strategy"), "None") != 0)
        causes_unsupported(causes, "spec.conversion.strategy",
            object_at(object, "spec.conversion.strategy"), strategies);
    if (object_is_true(object, "spec.preserveUnknownFields"))
        causes_invalid(causes, "spec.preserveUnknownFields",
            object_at(object, "spec.preserveUnknownFields"),
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
            "spec.versions[*].schema instead");
    if (!old)
        return;
    check_unchanged(causes, object, old, "spec.group");
    check_unchanged(causes, object, old, "spec.names.plural");
    check_unchanged(causes, object, old, "spec.scope");
    check_unchanged(causes, object, old, "spec.names.kind");
}

/* ---- the kind ----------------------------------------------------------------------------- */

static void row(const json_t *object, time_t now, json_t *cells)
{
    (void)now;
    cells_string(cells, object_name(object));
    cells_string(cells, object_string(object, "metadata.creationTimestamp"));
}

static const char *const short_names[] = {"crd", "crds", NULL};
static const char *const categories[] = {"api-extensions", NULL};
static const kind_column_t columns[] = {COLUMN_NAME, {"Created At", "date", "", 0}, {0}};

const kind_t kind_custom_resource_definition = {
    .name = "CustomResourceDefinition",
    .group = "apiextensions.k8s.io",
    .version = "v1",
    .plural = "customresourcedefinitions",
    .singular = "customresourcedefinition",
    .type = "apiextensions/v1.CustomResourceDefinition",
    .short_names = short_names,
    .categories = categories,
    .has_status = true,
    .has_generation = true,
    .columns = columns,
    .fill = fill,
    .validate = validate,
    .row = row,
};
