/* Reading objects by dotted path, and the few shapes every kind shares. */
#include "services/cluster/env/object.h"

#include "base/mem.h"

#include <sys/time.h>

enum { PART_MAX = 128 };

/* Copies the path's next part and returns what follows it, or NULL after the last. */
static const char *next_part(const char *path, char *part)
{
    size_t length = strcspn(path, ".");
    size_t kept = length < PART_MAX ? length : PART_MAX - 1;
    memcpy(part, path, kept);
    part[kept] = 0;
    return path[length] ? path + length + 1 : NULL;
}

json_t *object_at(const json_t *object, const char *path)
{
    json_t *value = (json_t *)object;
    char part[PART_MAX];
    while (path && value) {
        path = next_part(path, part);
        value = json_object_get(value, part);
    }
    return value;
}

const char *object_string(const json_t *object, const char *path)
{
    const char *text = json_string_value(object_at(object, path));
    return text ? text : "";
}

int64_t object_integer(const json_t *object, const char *path, int64_t otherwise)
{
    const json_t *value = object_at(object, path);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool object_is_true(const json_t *object, const char *path)
{
    return json_is_true(object_at(object, path));
}

static json_t *metadata_get(const json_t *object, const char *key)
{
    return json_object_get(json_object_get(object, "metadata"), key);
}

static const char *metadata_string(const json_t *object, const char *key)
{
    const char *text = json_string_value(metadata_get(object, key));
    return text ? text : "";
}

const char *object_name(const json_t *object)
{
    return metadata_string(object, "name");
}

const char *object_namespace(const json_t *object)
{
    return metadata_string(object, "namespace");
}

const char *object_uid(const json_t *object)
{
    return metadata_string(object, "uid");
}

const char *object_label(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(metadata_get(object, "labels"), key));
}

const char *object_annotation(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(metadata_get(object, "annotations"), key));
}

bool object_is_deleted(const json_t *object)
{
    return json_is_string(metadata_get(object, "deletionTimestamp"));
}

json_t *object_controller(const json_t *object)
{
    size_t i;
    json_t *reference;
    json_array_foreach(metadata_get(object, "ownerReferences"), i, reference)
    {
        if (json_is_true(json_object_get(reference, "controller")))
            return reference;
    }
    return NULL;
}

json_t *object_owner_reference(const json_t *owner)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:b}", "apiVersion",
        object_string(owner, "apiVersion"), "kind", object_string(owner, "kind"), "name",
        object_name(owner), "uid", object_uid(owner), "controller", 1, "blockOwnerDeletion", 1);
}

json_t *object_condition(const json_t *object, const char *type)
{
    size_t i;
    json_t *condition;
    json_array_foreach(object_at(object, "status.conditions"), i, condition)
    {
        if (!strcmp(object_string(condition, "type"), type))
            return condition;
    }
    return NULL;
}

json_t *object_copy(const json_t *object, const char *path)
{
    json_t *copy = json_copy((json_t *)object);
    json_t *parent = copy;
    char part[PART_MAX];
    while (path && *path) {
        path = next_part(path, part);
        json_t *child = json_object_get(parent, part);
        child = json_is_null(child) || !child ? json_object() : json_copy(child);
        json_object_set_new(parent, part, child);
        parent = child;
    }
    return copy;
}

void object_set(json_t *object, const char *path, json_t *value)
{
    char part[PART_MAX];
    for (path = next_part(path, part); path; path = next_part(path, part)) {
        json_t *child = json_object_get(object, part);
        if (!json_is_object(child)) {
            child = json_object();
            json_object_set_new(object, part, child);
        }
        object = child;
    }
    json_object_set_new(object, part, value);
}

json_t *object_time(time_t at)
{
    struct tm parts;
    char text[32];
    gmtime_r(&at, &parts);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return json_string(text);
}

json_t *object_time_now(void)
{
    return object_time(time(NULL));
}

json_t *object_micro_time_now(void)
{
    struct timeval now;
    struct tm parts;
    char text[48];
    gettimeofday(&now, NULL);
    gmtime_r(&now.tv_sec, &parts);
    size_t length = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text + length, sizeof(text) - length, ".%06ldZ", (long)now.tv_usec);
    return json_string(text);
}

time_t object_time_parse(const char *text)
{
    struct tm parts = {0};
    const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) : NULL;
    if (!rest)
        return -1;
    time_t at = timegm(&parts);
    if (*rest == '.')
        rest += 1 + strspn(rest + 1, "0123456789");
    int hours, minutes;
    if ((*rest == '+' || *rest == '-') && sscanf(rest + 1, "%2d:%2d", &hours, &minutes) == 2)
        at -= (*rest == '-' ? -1 : 1) * (hours * 3600L + minutes * 60L);
    else if (strcmp(rest, "Z") != 0)
        return -1;
    return at;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **object_sorted_keys(const json_t *object, size_t *count_p)
{
    const char **keys = xcalloc(json_object_size(object) + 1, sizeof(*keys));
    const char *key;
    json_t *value;
    *count_p = 0;
    json_object_foreach((json_t *)object, key, value) keys[(*count_p)++] = key;
    qsort(keys, *count_p, sizeof(*keys), compare_keys);
    return keys;
}
