/* Sets of fields. */
#include "services/cluster/env/api/fieldset.h"

#include "services/cluster/env/object.h"
#include "services/cluster/env/schema/fields.h"

#include "base/auto.h"
#include "base/mem.h"

/* ---- from objects ------------------------------------------------------------------------- */

static json_t *set_of_object(const json_t *object, const char *type);

/* 'k:{"containerPort":80,"protocol":"TCP"}' of a list's element. */
static char *element_key(const json_t *element, const char *list_keys)
{
    json_auto_t *keys = json_object();
    while (*list_keys) {
        size_t length = strcspn(list_keys, ",");
        AUTO_FREE char *key = xstrndup(list_keys, length);
        json_t *value = json_object_get(element, key);
        if (value)
            json_object_set(keys, key, value);
        else if (!strcmp(key, "protocol"))
            json_object_set_new(keys, key, json_string("TCP"));
        list_keys += length + (list_keys[length] == ',');
    }
    AUTO_FREE char *text = mem_check(json_dumps(keys, JSON_COMPACT | JSON_SORT_KEYS));
    return xasprintf("k:%s", text);
}

static json_t *set_of_list(const json_t *list, const field_t *field)
{
    json_t *set = json_object();
    size_t i;
    json_t *element;
    json_array_foreach(list, i, element)
    {
        if (field->list_keys && json_is_object(element)) {
            AUTO_FREE char *key = element_key(element, field->list_keys);
            json_t *members = set_of_object(element, field->value);
            json_object_set_new(members, ".", json_object());
            json_object_set_new(set, key, members);
        } else {
            AUTO_FREE char *text = mem_check(json_dumps(element, JSON_COMPACT | JSON_ENCODE_ANY));
            AUTO_FREE char *key = xasprintf("v:%s", text);
            json_object_set_new(set, key, json_object());
        }
    }
    return set;
}

static json_t *set_of_map(const json_t *map, const field_t *field)
{
    json_t *set = json_object();
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)map, name, value)
    {
        AUTO_FREE char *key = xasprintf("f:%s", name);
        json_object_set_new(set, key,
            field_is_type(field->value) ? set_of_object(value, field->value) : json_object());
    }
    return set;
}

static json_t *set_of_value(const json_t *value, const field_t *field)
{
    if (!field || field->flags & FIELD_ATOMIC)
        return json_object();
    if (field->shape == SHAPE_MAP && json_is_object(value))
        return set_of_map(value, field);
    if (field->shape == SHAPE_LIST && json_is_array(value)
        && (field->list_keys || field->flags & FIELD_SET))
        return set_of_list(value, field);
    if (field->shape == SHAPE_ONE && json_is_object(value) && field_is_type(field->value))
        return set_of_object(value, field->value);
    return json_object();
}

static json_t *set_of_object(const json_t *object, const char *type)
{
    json_t *set = json_object();
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value)
    {
        AUTO_FREE char *key = xasprintf("f:%s", name);
        json_object_set_new(set, key, set_of_value(value, field_find(type, name)));
    }
    return set;
}

json_t *fieldset_of(const json_t *object, const char *type)
{
    json_t *set = json_object();
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value)
    {
        AUTO_FREE char *key = xasprintf("f:%s", name);
        if (!strcmp(name, "kind") || !strcmp(name, "apiVersion") || !strcmp(name, "status"))
            continue;
        json_object_set_new(set, key, set_of_value(value, field_find(type, name)));
    }
    static const char *const unowned[] = {"f:name", "f:namespace", "f:uid", "f:resourceVersion",
        "f:generation", "f:creationTimestamp", "f:managedFields", "f:selfLink",
        "f:deletionTimestamp", "f:deletionGracePeriodSeconds", "f:generateName"};
    json_t *metadata = json_object_get(set, "f:metadata");
    for (size_t i = 0; i < ARRAY_SIZE(unowned); i++)
        json_object_del(metadata, unowned[i]);
    if (metadata && !json_object_size(metadata))
        json_object_del(set, "f:metadata");
    return set;
}

/* ---- set operations ----------------------------------------------------------------------- */

static bool is_leaf(const json_t *set)
{
    return json_object_size(set) == 0;
}

json_t *fieldset_minus(const json_t *a, const json_t *b)
{
    json_t *result = json_object();
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)a, key, value)
    {
        const json_t *other = json_object_get(b, key);
        if (!other) {
            json_object_set(result, key, value);
        } else if (!is_leaf(value)) {
            json_t *rest = fieldset_minus(value, other);
            if (is_leaf(rest))
                json_decref(rest);
            else
                json_object_set_new(result, key, rest);
        }
    }
    return result;
}

json_t *fieldset_and(const json_t *a, const json_t *b)
{
    json_t *result = json_object();
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)a, key, value)
    {
        const json_t *other = json_object_get(b, key);
        if (!other)
            continue;
        if (is_leaf(value) || is_leaf(other)) {
            json_object_set(result, key, is_leaf(value) ? value : (json_t *)other);
            continue;
        }
        json_t *inner = fieldset_and(value, other);
        if (is_leaf(inner)) /* nothing in common: not a field of its own */
            json_decref(inner);
        else
            json_object_set_new(result, key, inner);
    }
    return result;
}

json_t *fieldset_or(const json_t *a, const json_t *b)
{
    json_t *result = a ? json_copy((json_t *)a) : json_object();
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)b, key, value)
    {
        json_t *present = json_object_get(result, key);
        json_object_set_new(
            result, key, present ? fieldset_or(present, value) : json_incref(value));
    }
    return result;
}

/* ---- values ------------------------------------------------------------------------------- */

/* Whether an element has the values of a 'k:{…}' key; protocol is TCP where it is missing. */
static bool has_keys(const json_t *element, const json_t *keys)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)keys, name, value)
    {
        const json_t *present = json_object_get(element, name);
        bool is_default = !present && !strcmp(name, "protocol") && json_is_string(value)
                          && !strcmp(json_string_value(value), "TCP");
        if (!is_default && (!present || !json_equal(present, value)))
            return false;
    }
    return true;
}

/* The index that a 'k:…' or 'v:…' key has in a list, or -1. */
static long element_index(const json_t *list, const char *key)
{
    json_auto_t *wanted = json_loads(key + 2, JSON_DECODE_ANY, NULL);
    size_t i;
    json_t *element;
    json_array_foreach(list, i, element)
    {
        if (*key == 'k' ? has_keys(element, wanted) : json_equal(element, wanted))
            return (long)i;
    }
    return -1;
}

static json_t *value_of(const json_t *parent, const char *key)
{
    if (*key == 'f')
        return json_object_get(parent, key + 2);
    long index = element_index(parent, key);
    return index < 0 ? NULL : json_array_get(parent, (size_t)index);
}

json_t *fieldset_differing(const json_t *set, const json_t *one, const json_t *other)
{
    json_t *result = json_object();
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)set, key, value)
    {
        if (*key == '.')
            continue;
        const json_t *left = value_of(one, key);
        const json_t *right = value_of(other, key);
        if (is_leaf(value)) {
            if (!left || !right || !json_equal(left, right))
                json_object_set(result, key, value);
            continue;
        }
        json_t *inner = fieldset_differing(value, left, right);
        if (*key == 'k' && !right && json_object_get(value, "."))
            json_object_set_new(inner, ".", json_object());
        if (is_leaf(inner))
            json_decref(inner);
        else
            json_object_set_new(result, key, inner);
    }
    return result;
}

/* ".name", '[name="c"]' or '["value"]' */
static char *path_part(const char *prefix, const char *key)
{
    if (*key == 'f')
        return xasprintf("%s.%s", prefix, key + 2);
    if (*key == 'v')
        return xasprintf("%s[%s]", prefix, key + 2);
    json_auto_t *keys = json_loads(key + 2, 0, NULL);
    AUTO_FREE char *inside = xstrdup("");
    const char *name;
    json_t *value;
    json_object_foreach(keys, name, value)
    {
        AUTO_FREE char *text = json_dumps(value, JSON_ENCODE_ANY);
        char *longer = xasprintf("%s%s%s=%s", inside, *inside ? "," : "", name, text);
        free(inside);
        inside = longer;
    }
    return xasprintf("%s[%s]", prefix, inside);
}

void fieldset_paths(const json_t *set, const char *prefix, json_t *paths)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)set, key, value)
    {
        if (*key == '.') {
            json_array_append_new(paths, json_string(prefix));
            continue;
        }
        AUTO_FREE char *path = path_part(prefix, key);
        if (is_leaf(value))
            json_array_append_new(paths, json_string(path));
        else
            fieldset_paths(value, path, paths);
    }
}

void fieldset_remove(const json_t *set, json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)set, key, value)
    {
        json_t *child = *key == '.' ? NULL : value_of(object, key);
        if (!child)
            continue;
        bool is_whole = is_leaf(value) || (*key == 'k' && json_object_get(value, "."));
        if (!is_whole)
            fieldset_remove(value, child);
        else if (*key == 'f')
            json_object_del(object, key + 2);
        else
            json_array_remove(object, (size_t)element_index(object, key));
    }
}
