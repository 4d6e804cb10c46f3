/* What the scheduler says: its sentences and conditions. */
#include "services/cluster/env/controllers/schedule.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

void reason_add(json_t *reasons, const char *reason)
{
    json_int_t count = json_integer_value(json_object_get(reasons, reason));
    json_object_set_new(reasons, reason, json_integer(count + 1));
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* "1 Insufficient cpu, 2 node(s) had …" in the order of the texts. */
static char *join_reasons(const json_t *reasons)
{
    size_t count = 0;
    AUTO_FREE char **texts = xcalloc(json_object_size(reasons) + 1, sizeof(*texts));
    const char *reason = NULL;
    json_t *times = NULL;
    json_object_foreach((json_t *)reasons, reason, times)
    {
        texts[count++] = xasprintf("%lld %s", (long long)json_integer_value(times), reason);
    }
    qsort(texts, count, sizeof(*texts), compare_texts);
    char *joined = xstrdup("");
    for (size_t i = 0; i < count; i++) {
        char *longer = xasprintf("%s%s%s", joined, i ? ", " : "", texts[i]);
        free(joined);
        free(texts[i]);
        joined = longer;
    }
    return joined;
}

char *reasons_text(size_t node_count, const json_t *reasons)
{
    AUTO_FREE char *joined = join_reasons(reasons);
    return xasprintf("0/%zu nodes are available: %s.", node_count, joined);
}

json_t *pod_with_condition(const json_t *pod, condition_t condition)
{
    json_t *known = object_at(pod, "status.conditions");
    json_t *conditions = known ? json_copy(known) : json_array();
    condition_remove(conditions, condition.type);
    json_t *entry = json_pack("{s:s, s:s, s:n, s:o}", "type", condition.type, "status",
        condition.status, "lastProbeTime", "lastTransitionTime", object_time_now());
    if (condition.reason) {
        json_object_set_new(entry, "reason", json_string(condition.reason));
        json_object_set_new(entry, "message", json_string(condition.message));
    }
    json_array_append_new(conditions, entry);
    json_t *copy = object_copy(pod, "status");
    object_set(copy, "status.conditions", conditions);
    return copy;
}
