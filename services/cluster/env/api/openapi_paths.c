/* What can be done with a resource. Clients look here for the parameters that a server knows
 * (fieldValidation, dryRun) and for the forms of patches that a kind takes. */
#include "services/cluster/env/api/openapi.h"

#include "base/auto.h"
#include "base/mem.h"

typedef struct operation {
    const char *method;
    const char *action;
    bool is_named; /* of one object, not of the collection */
    bool has_body;
    const char *parameters; /* of the query */
} operation_t;

static const operation_t operations[] = {
    {"get", "list", false, false,
        "allowWatchBookmarks continue fieldSelector labelSelector limit resourceVersion "
        "resourceVersionMatch sendInitialEvents timeoutSeconds watch"},
    {"post", "post", false, true, "dryRun fieldManager fieldValidation"},
    {"delete", "deletecollection", false, false,
        "dryRun fieldSelector gracePeriodSeconds labelSelector propagationPolicy"},
    {"get", "get", true, false, "resourceVersion"},
    {"put", "put", true, true, "dryRun fieldManager fieldValidation"},
    {"patch", "patch", true, true, "dryRun fieldManager fieldValidation force"},
    {"delete", "delete", true, false, "dryRun gracePeriodSeconds propagationPolicy"},
};

static const char *const patch_types[] = {"application/json-patch+json",
    "application/merge-patch+json", "application/apply-patch+yaml",
    "application/strategic-merge-patch+json"};

/* Custom objects are not merged strategically. */
static size_t patch_type_count(const served_t *served)
{
    return ARRAY_SIZE(patch_types) - (served->kind->custom != NULL);
}

static json_t *parameter(openapi_form_t form, const char *in, const char *name, size_t length)
{
    bool is_path = !strcmp(in, "path");
    json_t *result = json_pack("{s:s, s:o}", "in", in, "name", json_stringn(name, length));
    if (is_path)
        json_object_set_new(result, "required", json_true());
    json_object_set_new(result, "uniqueItems", json_true());
    if (form == OPENAPI_V2)
        json_object_set_new(result, "type", json_string("string"));
    else
        json_object_set_new(
            result, "schema", json_pack("{s:s, s:b}", "type", "string", "uniqueItems", 1));
    return result;
}

static json_t *query_parameters(openapi_form_t form, const char *names)
{
    json_t *list = json_array();
    while (*names) {
        size_t length = strcspn(names, " ");
        json_array_append_new(list, parameter(form, "query", names, length));
        names += length + (names[length] == ' ');
    }
    return list;
}

static json_t *patch_type_list(const served_t *served)
{
    json_t *list = json_array();
    for (size_t i = 0; i < patch_type_count(served); i++)
        json_array_append_new(list, json_string(patch_types[i]));
    return list;
}

static json_t *body_content(const served_t *served, bool is_patch, json_t *schema)
{
    json_t *content = json_object();
    for (size_t i = 0; is_patch && i < patch_type_count(served); i++)
        json_object_set_new(content, patch_types[i], json_pack("{s:O}", "schema", schema));
    if (!is_patch)
        json_object_set_new(content, "*/*", json_pack("{s:O}", "schema", schema));
    return json_pack("{s:o}", "content", content);
}

static void add_body(
    json_t *result, openapi_form_t form, const served_t *served, const operation_t *operation)
{
    AUTO_FREE char *name = openapi_schema_name(served);
    json_auto_t *schema = openapi_reference(form, name);
    bool is_patch = !strcmp(operation->method, "patch");
    if (form == OPENAPI_V3) {
        json_object_set_new(result, "requestBody", body_content(served, is_patch, schema));
        return;
    }
    if (is_patch) {
        json_decref(schema);
        schema = json_pack("{s:s}", "type", "object");
        json_object_set_new(result, "consumes", patch_type_list(served));
    }
    json_array_append_new(json_object_get(result, "parameters"),
        json_pack(
            "{s:s, s:s, s:b, s:O}", "in", "body", "name", "body", "required", 1, "schema", schema));
}

static json_t *new_operation(
    openapi_form_t form, const served_t *served, const operation_t *operation)
{
    json_t *result = json_pack("{s:o, s:{s:{s:s}}, s:s, s:{s:s, s:s, s:s}}", "parameters",
        query_parameters(form, operation->parameters), "responses", "200", "description", "OK",
        "x-kubernetes-action", operation->action, "x-kubernetes-group-version-kind", "group",
        served->group, "version", served->version, "kind", served->kind->name);
    if (operation->has_body)
        add_body(result, form, served, operation);
    return result;
}

static void add_path(json_t *paths, openapi_form_t form, const served_t *served, bool is_named)
{
    json_t *parameters = json_array();
    json_t *item = json_pack("{s:o}", "parameters", parameters);
    bool is_namespaced = served->kind->is_namespaced;
    AUTO_FREE char *path = xasprintf("/%s%s/%s%s%s%s", *served->group ? "apis/" : "api",
        served->group, served->version, is_namespaced ? "/namespaces/{namespace}/" : "/",
        served->kind->plural, is_named ? "/{name}" : "");
    if (is_named)
        json_array_append_new(parameters, parameter(form, "path", "name", 4));
    if (is_namespaced)
        json_array_append_new(parameters, parameter(form, "path", "namespace", 9));
    for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
        if (operations[i].is_named == is_named)
            json_object_set_new(
                item, operations[i].method, new_operation(form, served, &operations[i]));
    }
    json_object_set_new(paths, path, item);
}

void openapi_add_paths(json_t *paths, openapi_form_t form, const served_t *served)
{
    add_path(paths, form, served, false);
    add_path(paths, form, served, true);
}
