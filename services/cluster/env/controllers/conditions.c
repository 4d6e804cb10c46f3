#include "services/cluster/env/controllers/conditions.h"

#include "services/cluster/env/object.h"

#include <string.h>

static size_t index_of(const json_t *conditions, const char *type)
{
    size_t i = 0;
    while (i < json_array_size(conditions)
           && strcmp(object_string(json_array_get(conditions, i), "type"), type) != 0)
        i++;
    return i;
}

json_t *condition_find(const json_t *conditions, const char *type)
{
    return json_array_get(conditions, index_of(conditions, type));
}

void condition_remove(json_t *conditions, const char *type)
{
    (void)json_array_remove(conditions, index_of(conditions, type)); /* past the end: not there */
}

bool condition_set(json_t *conditions, condition_t condition)
{
    const json_t *old = condition_find(conditions, condition.type);
    bool is_same_status = old && strcmp(object_string(old, "status"), condition.status) == 0;
    if (is_same_status && strcmp(object_string(old, "reason"), condition.reason) == 0)
        return false;
    json_t *now = object_time_now();
    json_t *moved =
        is_same_status ? json_incref(json_object_get(old, "lastTransitionTime")) : json_incref(now);
    json_t *next = json_pack("{s:s, s:s}", "type", condition.type, "status", condition.status);
    if (condition.has_update_time)
        json_object_set(next, "lastUpdateTime", now);
    json_object_set_new(next, "lastTransitionTime", moved);
    json_object_set_new(next, "reason", json_string(condition.reason));
    json_object_set_new(next, "message", json_string(condition.message));
    json_decref(now);
    condition_remove(conditions, condition.type);
    json_array_append_new(conditions, next);
    return true;
}
