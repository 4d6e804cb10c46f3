/* Who is where, and where a pod fits. */
#include "services/cluster/env/controllers/schedule.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/pods.h"
#include "services/cluster/env/controllers/topology.h"
#include "services/cluster/env/controllers/volume_fit.h"
#include "services/cluster/env/object.h"

int64_t pod_priority(const json_t *pod)
{
    return object_integer(pod, "spec.priority", 0);
}

/* ---- books -------------------------------------------------------------------------------- */

static void add_node(void *arg, json_t *node)
{
    round_t *self = arg;
    self->nodes = mem_check(reallocarray(self->nodes, self->node_count + 1, sizeof(*self->nodes)));
    node_info_init(&self->nodes[self->node_count++], node);
}

static char *sibling_key(const json_t *pod, const json_t *node)
{
    const json_t *owner = object_controller(pod);
    return xasprintf("%s %s", owner ? object_string(owner, "uid") : "", object_name(node));
}

void round_book(round_t *self, node_info_t *info, json_t *pod)
{
    AUTO_FREE char *key = sibling_key(pod, info->node);
    json_int_t count = json_integer_value(json_object_get(self->siblings, key));
    json_object_set_new(self->siblings, key, json_integer(count + 1));
    node_info_add(info, pod);
}

/* The more important first; among equals the one that came first. */
static void enqueue(round_t *self, json_t *pod)
{
    size_t i = json_array_size(self->waiting);
    while (i > 0 && pod_priority(json_array_get(self->waiting, i - 1)) < pod_priority(pod))
        i--;
    json_array_insert(self->waiting, i, pod);
}

static void add_pod(void *arg, json_t *pod)
{
    round_t *self = arg;
    const char *node = object_string(pod, "spec.nodeName");
    const char *scheduler = object_string(pod, "spec.schedulerName");
    if (pod_is_ended(pod))
        return;
    if (!*node) {
        if (!object_is_deleted(pod) && (!*scheduler || strcmp(scheduler, SCHEDULER) == 0)
            && !json_array_size(object_at(pod, "spec.schedulingGates")))
            enqueue(self, pod);
        return;
    }
    for (size_t i = 0; i < self->node_count; i++) {
        if (strcmp(object_name(self->nodes[i].node), node) == 0)
            round_book(self, &self->nodes[i], pod);
    }
}

void round_init(round_t *self, store_t *store)
{
    *self = (round_t){.store = store, .waiting = json_array(), .siblings = json_object()};
    store_each(store, kind_find("Node"), NULL, add_node, self);
    store_each(store, kind_find("Pod"), NULL, add_pod, self);
}

void round_done(round_t *self)
{
    for (size_t i = 0; i < self->node_count; i++)
        node_info_done(&self->nodes[i]);
    free(self->nodes);
    json_decref(self->waiting);
    json_decref(self->siblings);
}

/* ---- choosing ----------------------------------------------------------------------------- */

static topology_t topology_of(const round_t *self, const json_t *pod)
{
    return (topology_t){
        .store = self->store, .nodes = self->nodes, .node_count = self->node_count, .pod = pod};
}

bool round_fits(const round_t *self, const node_info_t *info, const json_t *pod, json_t *reasons,
    bool *is_final)
{
    topology_t topology = topology_of(self, pod);
    if (!fit_check(info, pod, reasons, is_final))
        return false;
    const char *refusal = volume_fit_node(self->store, pod, info->node);
    if (refusal)
        *is_final = true;
    else
        refusal = topology_refusal(&topology, info, is_final);
    if (refusal)
        reason_add(reasons, refusal);
    return !refusal;
}

/* What speaks against a node that fits: siblings, then pods. */
static int64_t crowd(const round_t *self, const json_t *pod, const node_info_t *info)
{
    AUTO_FREE char *key = sibling_key(pod, info->node);
    int64_t siblings =
        object_controller(pod) ? json_integer_value(json_object_get(self->siblings, key)) : 0;
    return siblings * 1000000000 + info->used.pods;
}

static bool is_better(
    const round_t *self, const json_t *pod, const node_info_t *info, const node_info_t *best)
{
    topology_t topology = topology_of(self, pod);
    if (!best)
        return true;
    int64_t preference = topology_preference(&topology, info);
    int64_t known = topology_preference(&topology, best);
    return preference != known ? preference > known
                               : crowd(self, pod, info) < crowd(self, pod, best);
}

outcome_t round_choose(const round_t *self, const json_t *pod)
{
    outcome_t outcome = {
        .reasons = json_object(), .is_final = xcalloc(self->node_count + 1, sizeof(bool))};
    for (size_t i = 0; i < self->node_count; i++) {
        node_info_t *info = &self->nodes[i];
        if (round_fits(self, info, pod, outcome.reasons, &outcome.is_final[i])
            && is_better(self, pod, info, outcome.best))
            outcome.best = info;
    }
    return outcome;
}

void outcome_done(outcome_t *outcome)
{
    json_decref(outcome->reasons);
    free(outcome->is_final);
}
