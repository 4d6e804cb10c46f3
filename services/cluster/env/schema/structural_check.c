/* What a schema must be for a CustomResourceDefinition to be accepted. */
#include "services/cluster/env/object.h"
#include "services/cluster/env/schema/pattern.h"
#include "services/cluster/env/schema/structural.h"

#include "base/auto.h"
#include "base/mem.h"

static void check(const json_t *schema, const char *field, const char *why_typed, causes_t *causes);

static void forbid(
    const json_t *schema, const char *field, const char *key, const char *why, causes_t *causes)
{
    AUTO_FREE char *path = xasprintf("%s.%s", field, key);
    if (json_object_get(schema, key))
        causes_forbidden(causes, path, why);
}

static void check_type(
    const json_t *schema, const char *field, const char *why_typed, causes_t *causes)
{
    static const char *const types[] = {
        "array", "boolean", "integer", "number", "object", "string", NULL};
    const char *type = object_string(schema, "type");
    bool is_free = object_is_true(schema, "x-kubernetes-int-or-string")
                   || object_is_true(schema, "x-kubernetes-preserve-unknown-fields");
    bool is_known = false;
    AUTO_FREE char *path = xasprintf("%s.type", field);
    for (size_t i = 0; types[i]; i++)
        is_known = is_known || !strcmp(types[i], type);
    if (!*type && !is_free)
        causes_required(causes, path, why_typed);
    else if (*type && !is_known)
        causes_unsupported(causes, path, json_object_get(schema, "type"), types);
    AUTO_FREE char *items = xasprintf("%s.items", field);
    if (!strcmp(type, "array") && !json_object_get(schema, "items"))
        causes_required(causes, items, "must be specified");
}

static void check_pattern(const json_t *schema, const char *field, causes_t *causes)
{
    const char *pattern = object_string(schema, "pattern");
    AUTO_FREE char *path = xasprintf("%s.pattern", field);
    if (*pattern && pattern_match(pattern, "") == PATTERN_BAD)
        causes_invalid(causes, path, json_object_get(schema, "pattern"),
            "must be a valid regular expression, but isn't");
}

static void check_list_type(const json_t *schema, const char *field, causes_t *causes)
{
    static const char *const types[] = {"atomic", "map", "set", NULL};
    const json_t *type = json_object_get(schema, "x-kubernetes-list-type");
    const char *text = object_string(schema, "x-kubernetes-list-type");
    AUTO_FREE char *keys = xasprintf("%s.x-kubernetes-list-map-keys", field);
    AUTO_FREE char *path = xasprintf("%s.x-kubernetes-list-type", field);
    if (type && strcmp(text, "atomic") != 0 && strcmp(text, "map") != 0 && strcmp(text, "set") != 0)
        causes_unsupported(causes, path, type, types);
    else if (!strcmp(text, "map")
             && !json_array_size(json_object_get(schema, "x-kubernetes-list-map-keys")))
        causes_required(causes, keys, "must not be empty if x-kubernetes-list-type is map");
}

static void check_children(const json_t *schema, const char *field, causes_t *causes)
{
    const json_t *items = json_object_get(schema, "items");
    const json_t *additional = json_object_get(schema, "additionalProperties");
    const char *key;
    json_t *member;
    AUTO_FREE char *items_path = xasprintf("%s.items", field);
    AUTO_FREE char *additional_path = xasprintf("%s.additionalProperties", field);
    json_object_foreach(json_object_get(schema, "properties"), key, member)
    {
        AUTO_FREE char *path = xasprintf("%s.properties[%s]", field, key);
        check(member, path, "must not be empty for specified object fields", causes);
    }
    if (json_is_object(items))
        check(items, items_path, "must not be empty for specified array items", causes);
    if (json_is_object(additional))
        check(additional, additional_path, "must not be empty for specified object fields", causes);
    else if (json_is_false(additional))
        causes_forbidden(causes, additional_path, "additionalProperties cannot be set to false");
    if (additional && json_object_size(json_object_get(schema, "properties")))
        causes_forbidden(
            causes, additional_path, "additionalProperties and properties are mutual exclusive");
}

static void check(const json_t *schema, const char *field, const char *why_typed, causes_t *causes)
{
    static const char *const unsupported[][2] = {{"$ref", "$ref is not supported"},
        {"definitions", "definitions is not supported"},
        {"dependencies", "dependencies is not supported"}, {"id", "id is not supported"},
        {"patternProperties", "patternProperties is not supported"},
        {"additionalItems", "additionalItems is not supported"},
        {"uniqueItems",
            "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"}};
    check_type(schema, field, why_typed, causes);
    for (size_t i = 0; i < ARRAY_SIZE(unsupported); i++)
        forbid(schema, field, unsupported[i][0], unsupported[i][1], causes);
    check_pattern(schema, field, causes);
    check_list_type(schema, field, causes);
    check_children(schema, field, causes);
}

void structural_check(const json_t *schema, const char *field, causes_t *causes)
{
    const char *type = object_string(schema, "type");
    AUTO_FREE char *path = xasprintf("%s.type", field);
    check(schema, field, "must not be empty at the root", causes);
    if (*type && strcmp(type, "object") != 0)
        causes_invalid(causes, path, json_object_get(schema, "type"), "must be object at the root");
}
