#include "services/injector/difference.h"

#include "base/auto.h"

#include <stdint.h>
#include <string.h>

/* ---- lists whose elements have names ------------------------------------------------------ */

/* Whether all elements are objects with a member of this name, each another. */
static bool is_identity(const json_t *list, const char *key)
{
    json_auto_t *seen = json_object();
    size_t i;
    json_t *element;
    json_array_foreach((json_t *)list, i, element)
    {
        json_t *value = json_object_get(element, key);
        AUTO_FREE char *text = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
        if (!text || json_object_get(seen, text))
            return false;
        json_object_set_new(seen, text, json_true());
    }
    return true;
}

/* What the elements of both lists (before may be NULL) are known by; NULL: nothing. */
static const char *identity_of(const json_t *before, const json_t *after)
{
    static const char *const keys[] = {"name", "key", "mountPath", "port", "containerPort"};
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (is_identity(before, keys[i]) && is_identity(after, keys[i]))
            return keys[i];
    }
    return NULL;
}

/* The element whose member key has this value; its index in *index_p, which may be NULL. */
static json_t *element_of(const json_t *list, const char *key, const json_t *value, size_t *index_p)
{
    size_t i;
    json_t *element;
    json_array_foreach((json_t *)list, i, element)
    {
        if (!json_equal(json_object_get(element, key), value))
            continue;
        if (index_p)
            *index_p = i;
        return element;
    }
    return NULL;
}

/* ---- finding differences ------------------------------------------------------------------ */

static void compare(json_t *parts, const json_t *path, const json_t *before, const json_t *after);

/* Compares what lies one step (taken) below path. */
static void compare_below(
    json_t *parts, const json_t *path, json_t *step, const json_t *before, const json_t *after)
{
    json_auto_t *longer = json_copy((json_t *)path);
    json_array_append_new(longer, step);
    compare(parts, longer, before, after);
}

static void compare_objects(
    json_t *parts, const json_t *path, const json_t *before, const json_t *after)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)before, key, value)
        compare_below(parts, path, json_string(key), value, json_object_get(after, key));
    json_object_foreach((json_t *)after, key, value)
    {
        if (!json_object_get(before, key))
            compare_below(parts, path, json_string(key), NULL, value);
    }
}

static void compare_lists(
    json_t *parts, const json_t *path, const json_t *before, const json_t *after, const char *key)
{
    size_t i;
    json_t *element;
    json_array_foreach((json_t *)before, i, element)
    {
        json_t *name = json_object_get(element, key);
        compare_below(parts, path, json_pack("{s:O}", key, name), element,
            element_of(after, key, name, NULL));
    }
    json_array_foreach((json_t *)after, i, element)
    {
        json_t *name = json_object_get(element, key);
        if (!element_of(before, key, name, NULL))
            compare_below(parts, path, json_pack("{s:O}", key, name), NULL, element);
    }
}

static void add_part(json_t *parts, const json_t *path, const json_t *before, const json_t *after)
{
    json_t *part = json_pack("{s:O}", "path", path);
    if (before)
        json_object_set_new(part, "before", json_deep_copy(before));
    if (after)
        json_object_set_new(part, "after", json_deep_copy(after));
    json_array_append_new(parts, part);
}

/* Whether several may put members of their own into what the path leads to. All else that is new
 * is one value: a server fills in what is missing in it, which has to go with it. */
static bool is_shared(const json_t *path)
{
    static const char *const names[] = {
        "annotations", "data", "labels", "limits", "nodeSelector", "requests", "resources"};
    const char *last = json_string_value(json_array_get(path, json_array_size(path) - 1));
    for (size_t i = 0; last && i < ARRAY_SIZE(names); i++) {
        if (strcmp(last, names[i]) == 0)
            return true;
    }
    return false;
}

/* A new list of named elements is as if it had been there, empty. */
static void compare(json_t *parts, const json_t *path, const json_t *before, const json_t *after)
{
    if (before && after && json_equal(before, after))
        return;
    bool is_new_list = !before && json_array_size(after);
    bool is_new_map = !before && is_shared(path);
    bool is_object = json_object_size(after) && (json_is_object(before) || is_new_map);
    bool is_list = json_is_array(after) && (json_is_array(before) || is_new_list);
    const char *key = is_list ? identity_of(before, after) : NULL;
    if (is_object)
        compare_objects(parts, path, before, after);
    else if (key)
        compare_lists(parts, path, before, after, key);
    else
        add_part(parts, path, before, after);
}

json_t *difference_between(const json_t *before, const json_t *after)
{
    json_t *parts = json_array();
    json_auto_t *path = json_array();
    compare_objects(parts, path, before, after);
    return parts;
}

/* ---- looking ------------------------------------------------------------------------------ */

static json_t *step_into(const json_t *value, const json_t *step, size_t *index_p)
{
    if (json_is_string(step))
        return json_object_get(value, json_string_value(step));
    void *member = json_object_iter((json_t *)step);
    return element_of(value, json_object_iter_key(member), json_object_iter_value(member), index_p);
}

/* What is count steps below the object, or NULL. */
static json_t *value_at(const json_t *object, const json_t *path, size_t count)
{
    json_t *value = (json_t *)object;
    for (size_t i = 0; i < count && value; i++)
        value = step_into(value, json_array_get(path, i), NULL);
    return value;
}

bool difference_has(const json_t *now, const json_t *wanted)
{
    if (json_is_object(wanted)) {
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)wanted, key, value)
        {
            json_t *present = json_object_get(now, key);
            if (!present || !difference_has(present, value))
                return false;
        }
        return json_is_object(now);
    }
    if (json_is_array(wanted)) {
        size_t i;
        json_t *value;
        json_array_foreach((json_t *)wanted, i, value)
        {
            json_t *present = json_array_get(now, i);
            if (!present || !difference_has(present, value))
                return false;
        }
        return json_array_size(now) == json_array_size(wanted);
    }
    return json_equal(now, wanted);
}

static bool is_empty(const json_t *value)
{
    return json_is_object(value) ? json_object_size(value) == 0
                                 : json_is_array(value) && json_array_size(value) == 0;
}

bool difference_part_holds(const json_t *part, const json_t *object)
{
    const json_t *path = json_object_get(part, "path");
    const json_t *after = json_object_get(part, "after");
    const json_t *now = value_at(object, path, json_array_size(path));
    if (!after || (is_empty(after) && !now)) /* servers leave out what is empty */
        return !now;
    return now && difference_has(now, after);
}

/* ---- changing ----------------------------------------------------------------------------- */

/* What holds the last step, made of objects and a list where it is not there; NULL if a named
 * element on the way is gone. */
static json_t *holder_of(json_t *object, const json_t *path)
{
    json_t *value = object;
    for (size_t i = 0; i + 1 < json_array_size(path) && value; i++) {
        const json_t *step = json_array_get(path, i);
        json_t *below = step_into(value, step, NULL);
        if (!below && json_is_string(step)) {
            bool is_list = json_is_object(json_array_get(path, i + 1));
            below = is_list ? json_array() : json_object();
            json_object_set_new(value, json_string_value(step), below);
        }
        value = below;
    }
    return value;
}

static bool set(json_t *object, const json_t *path, const json_t *value, size_t index)
{
    const json_t *step = json_array_get(path, json_array_size(path) - 1);
    json_t *holder = holder_of(object, path);
    if (json_is_string(step))
        return json_object_set_new(holder, json_string_value(step), json_deep_copy(value)) == 0;
    size_t present;
    if (step_into(holder, step, &present))
        return json_array_set_new(holder, present, json_deep_copy(value)) == 0;
    size_t end = json_array_size(holder);
    return json_array_insert_new(holder, index < end ? index : end, json_deep_copy(value)) == 0;
}

static void take_out(json_t *holder, const json_t *step)
{
    size_t index;
    if (json_is_string(step))
        (void)json_object_del(holder, json_string_value(step)); /* it may be gone */
    else if (step_into(holder, step, &index))
        json_array_remove(holder, index);
}

/* original NULL: holders stay, empty or not. */
static void remove_at(json_t *object, const json_t *path, const json_t *original)
{
    for (size_t count = json_array_size(path); count > 0; count--) {
        json_t *holder = value_at(object, path, count - 1);
        bool is_target = count == json_array_size(path);
        bool was_made =
            original && is_empty(value_at(object, path, count)) && !value_at(original, path, count);
        if (holder && (is_target || was_made))
            take_out(holder, json_array_get(path, count - 1));
        else if (!is_target)
            return;
    }
}

bool difference_part_do(const json_t *part, json_t *object)
{
    const json_t *path = json_object_get(part, "path");
    const json_t *after = json_object_get(part, "after");
    if (after)
        return set(object, path, after, SIZE_MAX);
    remove_at(object, path, NULL);
    return true;
}

/* Where the element was. */
static size_t index_in(const json_t *original, const json_t *path)
{
    size_t index = SIZE_MAX;
    const json_t *step = json_array_get(path, json_array_size(path) - 1);
    const json_t *holder = value_at(original, path, json_array_size(path) - 1);
    if (json_is_object(step))
        (void)step_into(holder, step, &index); /* SIZE_MAX if it was not there */
    return index;
}

bool difference_part_undo(const json_t *part, json_t *object, const json_t *original)
{
    const json_t *path = json_object_get(part, "path");
    const json_t *before = json_object_get(part, "before");
    if (before)
        return set(object, path, before, index_in(original, path));
    remove_at(object, path, original);
    return true;
}
