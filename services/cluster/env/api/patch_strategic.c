/* Strategic merge patch (apimachinery's strategicpatch).
 *
 * Order of a merged list: as $setElementOrder says, with the elements that only the server has at
 * their relative places; without it, new elements go to the end. */
#include "services/cluster/env/api/patch.h"

#include "services/cluster/env/object.h"
#include "services/cluster/env/schema/fields.h"

#include "base/auto.h"
#include "base/mem.h"

static const char delete_from[] = "$deleteFromPrimitiveList/";
static const char set_order[] = "$setElementOrder/";

static json_t *merge_object(
    const json_t *document, const json_t *patch, const char *type, err_t *err);

static bool is_directive(const char *text, const char *prefix)
{
    return !strncmp(text, prefix, strlen(prefix));
}

static bool array_has(const json_t *array, const json_t *value)
{
    size_t i;
    json_t *each;
    json_array_foreach(array, i, each)
    {
        if (json_equal(each, value))
            return true;
    }
    return false;
}

/* A copy without the directives, also in its parts, and without nulls: what a patch means where
 * there is nothing yet. */
static json_t *without_directives(const json_t *patch)
{
    const char *key;
    size_t i;
    json_t *value;
    if (json_is_object(patch)) {
        json_t *result = json_object();
        json_object_foreach((json_t *)patch, key, value)
        {
            if (*key != '$' && !json_is_null(value))
                json_object_set_new(result, key, without_directives(value));
        }
        return result;
    }
    if (!json_is_array(patch))
        return json_deep_copy(patch);
    json_t *result = json_array();
    json_array_foreach(patch, i, value)
    {
        if (!json_is_object(value) || !json_object_get(value, "$patch"))
            json_array_append_new(result, without_directives(value));
    }
    return result;
}

/* ---- lists -------------------------------------------------------------------------------- */

/* The index of the element that has the same key, or -1. */
static long find_element(const json_t *list, const char *key, const json_t *wanted)
{
    size_t i;
    json_t *element;
    json_array_foreach(list, i, element)
    {
        const json_t *value = key ? json_object_get(element, key) : element;
        if (value && json_equal(value, key ? json_object_get(wanted, key) : wanted))
            return (long)i;
    }
    return -1;
}

static bool is_replacement(const json_t *patch)
{
    size_t i;
    json_t *element;
    json_array_foreach(patch, i, element)
    {
        if (!strcmp(object_string(element, "$patch"), "replace"))
            return true;
    }
    return false;
}

static int merge_element(json_t *list, const json_t *element, const field_t *field, err_t *err)
{
    const char *key = field->merge_key;
    if (!json_object_get(element, key)) {
        AUTO_FREE char *shown = json_dumps(element, JSON_COMPACT | JSON_ENCODE_ANY);
        return err_set(err, ERR_INVALID, "map: %.120s does not contain declared merge key: %s",
            shown ? shown : "", key);
    }
    long at = find_element(list, key, element);
    if (!strcmp(object_string(element, "$patch"), "delete")) {
        for (; at >= 0; at = find_element(list, key, element))
            json_array_remove(list, (size_t)at);
        return 0;
    }
    if (at < 0)
        return json_array_append_new(list, without_directives(element));
    json_t *merged = merge_object(json_array_get(list, (size_t)at), element, field->value, err);
    if (!merged)
        return -ERR_INVALID;
    return json_array_set_new(list, (size_t)at, merged);
}

static json_t *merge_list(
    const json_t *document, const json_t *patch, const field_t *field, err_t *err)
{
    size_t i;
    json_t *element;
    if (is_replacement(patch))
        return without_directives(patch);
    json_auto_t *list = json_is_array(document) ? json_copy((json_t *)document) : json_array();
    json_array_foreach(patch, i, element)
    {
        if (!field->merge_key) {
            if (!array_has(list, element))
                json_array_append(list, element);
        } else if (merge_element(list, element, field, err) < 0) {
            return NULL;
        }
    }
    return TAKE(list);
}

/* Puts the elements that order names into its order, among the places that they have now. */
static json_t *in_order(const json_t *list, const json_t *order, const char *key)
{
    json_auto_t *named = json_array();
    json_t *result = json_array();
    size_t i;
    json_t *element;
    size_t next = 0;
    json_array_foreach(order, i, element)
    {
        long at = find_element(list, key, element);
        if (at >= 0)
            json_array_append(named, json_array_get(list, (size_t)at));
    }
    json_array_foreach(list, i, element)
    {
        json_t *other = array_has(named, element) && next < json_array_size(named)
                            ? json_array_get(named, next++)
                            : element;
        json_array_append(result, other);
    }
    return result;
}

/* ---- objects ------------------------------------------------------------------------------ */

static json_t *merge_map(
    const json_t *document, const json_t *patch, const field_t *field, err_t *err)
{
    const char *key;
    json_t *value;
    if (!field_is_type(field->value))
        return merge_object(document, patch, "", err);
    json_auto_t *result = json_is_object(document) ? json_copy((json_t *)document) : json_object();
    json_object_foreach((json_t *)patch, key, value)
    {
        json_t *merged = json_is_null(value)
                             ? NULL
                             : merge_object(json_object_get(result, key), value, field->value, err);
        if (!merged && !json_is_null(value))
            return NULL;
        if (merged)
            json_object_set_new(result, key, merged);
        else
            json_object_del(result, key);
    }
    return TAKE(result);
}

/* The merged value of one member. */
static json_t *merge_member(
    const json_t *document, const json_t *patch, const field_t *field, err_t *err)
{
    if (json_is_array(patch))
        return field && field->flags & FIELD_MERGE ? merge_list(document, patch, field, err)
                                                   : json_deep_copy(patch);
    if (!json_is_object(patch))
        return json_deep_copy(patch);
    if (field && field->shape == SHAPE_MAP)
        return merge_map(document, patch, field, err);
    return merge_object(document, patch, field ? field->value : "", err);
}

static void retain_keys(json_t *result, const json_t *kept)
{
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(result, next, key, value)
    {
        json_auto_t *name = json_string(key);
        if (!array_has(kept, name))
            json_object_del(result, key);
    }
}

static void delete_values(json_t *result, const char *key, const json_t *values)
{
    size_t i;
    json_t *value;
    json_t *kept = json_array();
    json_array_foreach(json_object_get(result, key), i, value)
    {
        if (!array_has(values, value))
            json_array_append(kept, value);
    }
    json_object_set_new(result, key, kept);
}

static void apply_orders(json_t *result, const json_t *patch, const char *type)
{
    const char *key;
    json_t *order;
    json_object_foreach((json_t *)patch, key, order)
    {
        if (!is_directive(key, set_order))
            continue;
        const char *name = key + sizeof(set_order) - 1;
        const field_t *field = field_find(type, name);
        const json_t *list = json_object_get(result, name);
        if (json_is_array(list) && field)
            json_object_set_new(result, name, in_order(list, order, field->merge_key));
    }
}

static json_t *merge_object(
    const json_t *document, const json_t *patch, const char *type, err_t *err)
{
    const char *key;
    json_t *value;
    const char *directive = object_string(patch, "$patch");
    if (!json_is_object(patch))
        return json_deep_copy(patch);
    if (!strcmp(directive, "replace"))
        return without_directives(patch);
    if (!strcmp(directive, "delete"))
        return json_object();
    if (!json_is_object(document))
        return without_directives(patch);
    json_auto_t *result = json_copy((json_t *)document);
    if (json_is_array(json_object_get(patch, "$retainKeys")))
        retain_keys(result, json_object_get(patch, "$retainKeys"));
    json_object_foreach((json_t *)patch, key, value)
    {
        if (is_directive(key, delete_from) && json_is_array(value))
            delete_values(result, key + sizeof(delete_from) - 1, value);
        if (*key == '$')
            continue;
        if (json_is_null(value)) {
            json_object_del(result, key);
            continue;
        }
        json_t *merged =
            merge_member(json_object_get(result, key), value, field_find(type, key), err);
        if (!merged)
            return NULL;
        json_object_set_new(result, key, merged);
    }
    apply_orders(result, patch, type);
    return TAKE(result);
}

json_t *patch_strategic(const json_t *document, const json_t *patch, const char *type, err_t *err)
{
    if (!json_is_object(patch)) {
        err_set(err, ERR_INVALID, "a strategic merge patch must be an object");
        return NULL;
    }
    return merge_object(document, patch, type, err);
}
