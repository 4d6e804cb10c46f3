/* Scheduler: a node for every pod: the one it prefers, else with the fewest siblings and pods.
 *
 * All pods that wait are placed together, the most important and oldest first, so that the books of
 * who uses what are made once per turn. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/controller.h"
#include "services/cluster/env/controllers/pods.h"
#include "services/cluster/env/controllers/schedule.h"
#include "services/cluster/env/controllers/volume_fit.h"
#include "services/cluster/env/events.h"
#include "services/cluster/env/object.h"

static const event_source_t source = {SCHEDULER, NULL};

typedef struct scheduler {
    ev_t *ev;
    store_t *store;
    const kind_t *pod_kind;
    const kind_t *node_kind;
    store_watch_t *pod_watch;
    store_watch_t *node_watch;
    store_watch_t *claim_watch;
    int timer_id;
    bool is_anyone_left; /* without a place, after the last round */
} scheduler_t;

/* ---- binding ------------------------------------------------------------------------------ */

static void assign(round_t *self, json_t *pod, node_info_t *info)
{
    const char *node = object_name(info->node);
    round_book(self, info, pod);
    if (!volume_fit_settle(self->store, pod, info->node))
        return; /* the claims' changes bring us back */
    json_t *copy =
        pod_with_condition(pod, (condition_t){"PodScheduled", "True", NULL, NULL, false});
    json_t *spec = json_copy(json_object_get(pod, "spec"));
    json_object_set_new(spec, "nodeName", json_string(node));
    json_object_set_new(copy, "spec", spec);
    if (store_update(self->store, kind_find("Pod"), copy, STORE_ALL, NULL) < 0)
        return; /* changed meanwhile: its change brings us back */
    event_record(self->store, source, pod, NULL, "Normal", "Scheduled",
        "Successfully assigned %s/%s to %s", object_namespace(pod), object_name(pod), node);
}

/* ---- failing ------------------------------------------------------------------------------ */

/* Says why a pod has no place, and which node is to be its own (or NULL), unless it is known. */
static void complain(round_t *self, json_t *pod, const char *why, const char *nominated)
{
    const json_t *said = object_condition(pod, "PodScheduled");
    if (strcmp(object_string(said, "message"), why) == 0 && !nominated)
        return;
    event_record(self->store, source, pod, NULL, "Warning", "FailedScheduling", "%s", why);
    json_t *copy = pod_with_condition(
        pod, (condition_t){"PodScheduled", "False", "Unschedulable", why, false});
    if (nominated)
        object_set(copy, "status.nominatedNodeName", json_string(nominated));
    (void)store_update(self->store, kind_find("Pod"), copy, STORE_STATUS, NULL);
}

/* A place that was cleared for a pod is not given to less important ones. */
static void hold_place(round_t *self, json_t *pod, const char *node)
{
    for (size_t i = 0; i < self->node_count; i++) {
        if (strcmp(object_name(self->nodes[i].node), node) == 0)
            round_book(self, &self->nodes[i], pod);
    }
}

static void fail_to_place(round_t *self, json_t *pod, const outcome_t *outcome)
{
    if (self->node_count == 0) {
        complain(self, pod, "no nodes available to schedule pods", NULL);
        return;
    }
    AUTO_FREE char *vain = NULL;
    AUTO_FREE char *reasons = reasons_text(self->node_count, outcome->reasons);
    const char *nominated = preempt(self, pod, outcome, &vain);
    AUTO_FREE char *why = vain ? xasprintf("%s preemption: %s", reasons, vain) : xstrdup(reasons);
    complain(self, pod, why, nominated);
    hold_place(self, pod, nominated ? nominated : object_string(pod, "status.nominatedNodeName"));
}

/* ---- rounds ------------------------------------------------------------------------------- */

static bool place(round_t *self, json_t *pod)
{
    AUTO_FREE char *hopeless = volume_fit_reason(self->store, pod);
    if (hopeless) {
        AUTO_FREE char *why = xasprintf("0/%zu nodes are available: %s. preemption: 0/%zu nodes "
                                        "are available: %zu Preemption is not helpful for "
                                        "scheduling.",
            self->node_count, hopeless, self->node_count, self->node_count);
        complain(self, pod, why, NULL);
        return false;
    }
    outcome_t outcome = round_choose(self, pod);
    bool is_found = outcome.best != NULL;
    if (is_found)
        assign(self, pod, outcome.best);
    else
        fail_to_place(self, pod, &outcome);
    outcome_done(&outcome);
    return is_found;
}

static void on_round(void *arg)
{
    scheduler_t *self = arg;
    round_t round;
    size_t i = 0;
    json_t *pod = NULL;
    self->timer_id = 0;
    self->is_anyone_left = false;
    round_init(&round, self->store);
    json_array_foreach(round.waiting, i, pod)
    {
        self->is_anyone_left |= !place(&round, pod);
    }
    round_done(&round);
}

static void start_round(scheduler_t *self)
{
    if (!self->timer_id)
        self->timer_id = ev_after(self->ev, 0, on_round, self);
}

/* A new pod wants a place; one that left its place, or changed what it wants, may let another in;
 * one that came may draw others after it. */
static void on_pod(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    (void)kind;
    bool is_waiting = change != STORE_DELETED && !*object_string(object, "spec.nodeName");
    bool has_left =
        *object_string(object, "spec.nodeName")
        && (change == STORE_DELETED || (old && pod_is_ended(object) && !pod_is_ended(old)));
    const scheduler_t *self = arg;
    bool has_come = old && *object_string(object, "spec.nodeName")
                    && !*object_string(old, "spec.nodeName") && self->is_anyone_left;
    if (is_waiting || has_left || has_come)
        start_round(arg);
}

static void on_node(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    (void)kind;
    bool is_moved =
        change != STORE_MODIFIED
        || !json_equal(json_object_get(object, "spec"), json_object_get(old, "spec"))
        || !json_equal(object_at(object, "metadata.labels"), object_at(old, "metadata.labels"))
        || !json_equal(
            object_at(object, "status.allocatable"), object_at(old, "status.allocatable"));
    if (is_moved)
        start_round(arg);
}

/* Pods may wait for their claims. */
static void on_claim(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    (void)change, (void)kind, (void)object, (void)old;
    start_round(arg);
}

/* ---- life cycle --------------------------------------------------------------------------- */

static void *open_scheduler(const controller_deps_t *deps)
{
    scheduler_t *self = xcalloc(1, sizeof(*self));
    self->ev = deps->ev;
    self->store = deps->store;
    self->pod_kind = kind_find("Pod");
    self->node_kind = kind_find("Node");
    self->pod_watch = store_watch(deps->store, self->pod_kind, on_pod, self);
    self->node_watch = store_watch(deps->store, self->node_kind, on_node, self);
    self->claim_watch =
        store_watch(deps->store, kind_find("PersistentVolumeClaim"), on_claim, self);
    start_round(self);
    return self;
}

static void close_scheduler(void *arg)
{
    scheduler_t *self = arg;
    store_watch_end(&self->pod_watch);
    store_watch_end(&self->node_watch);
    store_watch_end(&self->claim_watch);
    ev_cancel(self->ev, self->timer_id);
    free(self);
}

const controller_kind_t controller_scheduler = {
    .name = "scheduler",
    .open = open_scheduler,
    .close = close_scheduler,
};
