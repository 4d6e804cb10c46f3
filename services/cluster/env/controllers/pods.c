#include "services/cluster/env/controllers/pods.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

#define DELETION_COST "controller.kubernetes.io/pod-deletion-cost"

bool pod_is_ended(const json_t *pod)
{
    const char *phase = object_string(pod, "status.phase");
    return strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
}

bool pod_is_active(const json_t *pod)
{
    return !pod_is_ended(pod) && !object_is_deleted(pod);
}

bool pod_is_ready(const json_t *pod)
{
    return strcmp(object_string(object_condition(pod, "Ready"), "status"), "True") == 0;
}

json_t *pod_from_template(const json_t *owner, const json_t *template)
{
    json_t *metadata =
        json_pack("{s:o, s:s, s:[o]}", "generateName", json_sprintf("%s-", object_name(owner)),
            "namespace", object_namespace(owner), "ownerReferences", object_owner_reference(owner));
    static const char *const copied[] = {"labels", "annotations", "finalizers"};
    for (size_t i = 0; i < ARRAY_SIZE(copied); i++) {
        json_t *value = json_object_get(json_object_get(template, "metadata"), copied[i]);
        if (value)
            json_object_set(metadata, copied[i], value);
    }
    json_t *pod = json_pack("{s:o}", "metadata", metadata);
    json_object_set(pod, "spec", json_object_get(template, "spec"));
    return pod;
}

/* ---- ranking ------------------------------------------------------------------------------ */

typedef struct ranked {
    json_t *pod;
    size_t neighbours; /* of the same owner, on the same node */
} ranked_t;

static int phase_rank(const json_t *pod)
{
    const char *phase = object_string(pod, "status.phase");
    return strcmp(phase, "Pending") == 0 ? 0 : strcmp(phase, "Unknown") == 0 ? 1 : 2;
}

static long deletion_cost(const json_t *pod)
{
    const char *cost = object_annotation(pod, DELETION_COST);
    return cost ? strtol(cost, NULL, 10) : 0;
}

static int64_t restarts(const json_t *pod)
{
    int64_t most = 0;
    size_t i = 0;
    json_t *status = NULL;
    json_array_foreach(object_at(pod, "status.containerStatuses"), i, status)
    {
        int64_t count = object_integer(status, "restartCount", 0);
        most = count > most ? count : most;
    }
    return most;
}

static int compare_integers(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_state(const json_t *a, const json_t *b)
{
    int order = compare_integers(
        *object_string(a, "spec.nodeName") != 0, *object_string(b, "spec.nodeName") != 0);
    if (!order)
        order = compare_integers(phase_rank(a), phase_rank(b));
    if (!order)
        order = compare_integers(pod_is_ready(a), pod_is_ready(b));
    return order ? order : compare_integers(deletion_cost(a), deletion_cost(b));
}

static int compare_history(const json_t *a, const json_t *b)
{
    int order = 0;
    if (pod_is_ready(a) && pod_is_ready(b)) /* the one ready most recently first */
        order = strcmp(object_string(object_condition(b, "Ready"), "lastTransitionTime"),
            object_string(object_condition(a, "Ready"), "lastTransitionTime"));
    if (!order)
        order = compare_integers(restarts(b), restarts(a));
    return order ? order
                 : strcmp(object_string(b, "metadata.creationTimestamp"),
                     object_string(a, "metadata.creationTimestamp"));
}

static int compare_ranked(const void *left, const void *right)
{
    const ranked_t *a = left;
    const ranked_t *b = right;
    int order = compare_state(a->pod, b->pod);
    if (!order)
        order = compare_integers((int64_t)b->neighbours, (int64_t)a->neighbours);
    if (!order)
        order = compare_history(a->pod, b->pod);
    return order ? order : strcmp(object_name(a->pod), object_name(b->pod));
}

static size_t count_neighbours(json_t **pods, size_t count, const char *node)
{
    size_t neighbours = 0;
    for (size_t i = 0; i < count; i++)
        neighbours += *node && strcmp(object_string(pods[i], "spec.nodeName"), node) == 0;
    return neighbours;
}

void pods_rank_for_deletion(json_t **pods, size_t count)
{
    AUTO_FREE ranked_t *ranked = xcalloc(count + 1, sizeof(*ranked));
    for (size_t i = 0; i < count; i++) {
        ranked[i].pod = pods[i];
        ranked[i].neighbours =
            count_neighbours(pods, count, object_string(pods[i], "spec.nodeName"));
    }
    qsort(ranked, count, sizeof(*ranked), compare_ranked);
    for (size_t i = 0; i < count; i++)
        pods[i] = ranked[i].pod;
}
