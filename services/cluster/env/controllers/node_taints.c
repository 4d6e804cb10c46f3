#include "services/cluster/env/controllers/node_taints.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

#include <string.h>

static const struct rule {
    const char *condition; /* NULL: cordoning */
    const char *status;
    const char *key;
    bool is_executing; /* NoExecute beside NoSchedule */
} rules[] = {
    {"Ready", "False", "node.kubernetes.io/not-ready", true},
    {"Ready", "Unknown", "node.kubernetes.io/unreachable", true},
    {"MemoryPressure", "True", "node.kubernetes.io/memory-pressure", false},
    {"DiskPressure", "True", "node.kubernetes.io/disk-pressure", false},
    {"PIDPressure", "True", "node.kubernetes.io/pid-pressure", false},
    {"NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable", false},
    {NULL, NULL, "node.kubernetes.io/unschedulable", false},
};

static bool is_due(const struct rule *rule, const json_t *node)
{
    if (!rule->condition)
        return object_is_true(node, "spec.unschedulable");
    return strcmp(object_string(object_condition(node, rule->condition), "status"), rule->status)
           == 0;
}

static bool is_taint(const json_t *taint, const char *key, const char *effect)
{
    return strcmp(object_string(taint, "key"), key) == 0
           && strcmp(object_string(taint, "effect"), effect) == 0;
}

/* Brings one taint in step; true if the list changed. */
static bool set_taint(json_t *taints, const char *key, const char *effect, bool is_wanted)
{
    size_t i;
    json_t *taint;
    json_array_foreach(taints, i, taint)
    {
        if (!is_taint(taint, key, effect))
            continue;
        if (!is_wanted)
            json_array_remove(taints, i);
        return !is_wanted;
    }
    if (is_wanted)
        json_array_append_new(taints, json_pack("{s:s, s:s, s:o}", "key", key, "effect", effect,
                                          "timeAdded", object_time_now()));
    return is_wanted;
}

void node_taints_sync(store_t *store, json_t *node)
{
    json_auto_t *present =
        json_incref(store_get(store, kind_find("Node"), NULL, object_name(node)));
    if (!present)
        return;
    json_auto_t *taints = json_copy(object_at(present, "spec.taints"));
    if (!taints)
        taints = json_array();
    bool is_changed = false;
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        bool is_wanted = is_due(&rules[i], present);
        is_changed = set_taint(taints, rules[i].key, "NoSchedule", is_wanted) || is_changed;
        if (rules[i].is_executing)
            is_changed = set_taint(taints, rules[i].key, "NoExecute", is_wanted) || is_changed;
    }
    if (!is_changed)
        return;
    json_t *copy = object_copy(present, "spec");
    if (json_array_size(taints))
        json_object_set(object_at(copy, "spec"), "taints", taints);
    else
        json_object_del(object_at(copy, "spec"), "taints");
    (void)store_update(store, kind_find("Node"), copy, STORE_ALL, NULL); /* or told again */
}
