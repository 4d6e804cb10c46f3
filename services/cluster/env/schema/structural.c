/* Pruning and defaulting. */
#include "services/cluster/env/schema/structural.h"

#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

#define PRESERVE "x-kubernetes-preserve-unknown-fields"
#define EMBEDDED "x-kubernetes-embedded-resource"

/* ---- pruning ------------------------------------------------------------------------------ */

static void prune(
    const json_t *schema, json_t *value, const char *path, bool is_resource, json_t *unknown);

static bool is_of_every_resource(const char *key)
{
    return !strcmp(key, "apiVersion") || !strcmp(key, "kind") || !strcmp(key, "metadata");
}

/* The schema of a member, or NULL; *is_known_p is set for members without one, too. */
static const json_t *member_schema(const json_t *schema, const char *key, bool *is_known_p)
{
    const json_t *additional = json_object_get(schema, "additionalProperties");
    const json_t *member = json_object_get(json_object_get(schema, "properties"), key);
    if (!member && json_is_object(additional))
        member = additional;
    *is_known_p = member || json_is_true(additional) || object_is_true(schema, PRESERVE);
    return member;
}

static void prune_object(
    const json_t *schema, json_t *object, const char *path, bool is_resource, json_t *unknown)
{
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(object, next, key, value)
    {
        bool is_known;
        const json_t *member = member_schema(schema, key, &is_known);
        AUTO_FREE char *inner = xasprintf("%s%s%s", path, *path ? "." : "", key);
        if (is_resource && is_of_every_resource(key))
            continue;
        if (member) {
            prune(member, value, inner, object_is_true(member, EMBEDDED), unknown);
        } else if (!is_known) {
            json_array_append_new(unknown, json_sprintf("unknown field \"%s\"", inner));
            json_object_del(object, key);
        }
    }
}

static void prune(
    const json_t *schema, json_t *value, const char *path, bool is_resource, json_t *unknown)
{
    const json_t *items = json_object_get(schema, "items");
    size_t i;
    json_t *element;
    if (json_is_object(value))
        prune_object(schema, value, path, is_resource, unknown);
    json_array_foreach(value, i, element)
    {
        AUTO_FREE char *inner = xasprintf("%s[%zu]", path, i);
        if (json_is_object(items))
            prune(items, element, inner, object_is_true(items, EMBEDDED), unknown);
    }
}

void structural_prune(const json_t *schema, json_t *object, json_t *unknown)
{
    prune(schema, object, "", true, unknown);
}

/* ---- defaulting --------------------------------------------------------------------------- */

static void drop_nulls(const json_t *properties, json_t *object)
{
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(object, next, key, value)
    {
        const json_t *member = json_object_get(properties, key);
        if (json_is_null(value) && member && !object_is_true(member, "nullable"))
            json_object_del(object, key);
    }
}

static void default_object(const json_t *schema, json_t *object)
{
    const json_t *properties = json_object_get(schema, "properties");
    const json_t *additional = json_object_get(schema, "additionalProperties");
    const char *key;
    json_t *member;
    json_t *value;
    drop_nulls(properties, object);
    json_object_foreach((json_t *)properties, key, member)
    {
        const json_t *otherwise = json_object_get(member, "default");
        if (otherwise && !json_object_get(object, key))
            json_object_set_new(object, key, json_deep_copy(otherwise));
        structural_default(member, json_object_get(object, key));
    }
    json_object_foreach(object, key, value)
    {
        if (json_is_object(additional) && !json_object_get(properties, key))
            structural_default(additional, value);
    }
}

void structural_default(const json_t *schema, json_t *value)
{
    const json_t *items = json_object_get(schema, "items");
    size_t i;
    json_t *element;
    if (json_is_object(value))
        default_object(schema, value);
    json_array_foreach(value, i, element) structural_default(items, element);
}
