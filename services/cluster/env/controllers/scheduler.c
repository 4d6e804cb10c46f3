/* Scheduler: a node for every pod, the one with the fewest siblings and pods.
 *
 * All pods that wait are placed together, in order of their age, so that the books of who uses what
 * are made once per turn. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/conditions.h"
#include "services/cluster/env/controllers/controller.h"
#include "services/cluster/env/controllers/fit.h"
#include "services/cluster/env/controllers/pods.h"
#include "services/cluster/env/controllers/volume_fit.h"
#include "services/cluster/env/events.h"
#include "services/cluster/env/object.h"

static const event_source_t source = {"default-scheduler", NULL};

typedef struct scheduler {
    ev_t *ev;
    store_t *store;
    const kind_t *pod_kind;
    const kind_t *node_kind;
    store_watch_t *pod_watch;
    store_watch_t *node_watch;
    store_watch_t *claim_watch;
    int timer_id;
} scheduler_t;

/* One round's books. */
typedef struct round {
    scheduler_t *scheduler;
    node_info_t *nodes;
    size_t node_count;
    json_t *waiting;  /* pods */
    json_t *siblings; /* by owner uid and node name: how many pods */
} round_t;

/* ---- books -------------------------------------------------------------------------------- */

static void add_node(void *arg, json_t *node)
{
    round_t *self = arg;
    self->nodes = mem_check(reallocarray(self->nodes, self->node_count + 1, sizeof(*self->nodes)));
    self->nodes[self->node_count++] = (node_info_t){.node = node, .ports = json_object()};
}

static char *sibling_key(const json_t *pod, const json_t *node)
{
    const json_t *owner = object_controller(pod);
    return xasprintf("%s %s", owner ? object_string(owner, "uid") : "", object_name(node));
}

static void book(round_t *self, node_info_t *info, const json_t *pod)
{
    AUTO_FREE char *key = sibling_key(pod, info->node);
    json_int_t count = json_integer_value(json_object_get(self->siblings, key));
    json_object_set_new(self->siblings, key, json_integer(count + 1));
    node_info_add(info, pod);
}

static void add_pod(void *arg, json_t *pod)
{
    round_t *self = arg;
    const char *node = object_string(pod, "spec.nodeName");
    const char *scheduler = object_string(pod, "spec.schedulerName");
    if (pod_is_ended(pod))
        return;
    if (!*node) {
        if (!object_is_deleted(pod) && (!*scheduler || strcmp(scheduler, source.component) == 0)
            && !json_array_size(object_at(pod, "spec.schedulingGates")))
            json_array_append(self->waiting, pod);
        return;
    }
    for (size_t i = 0; i < self->node_count; i++) {
        if (strcmp(object_name(self->nodes[i].node), node) == 0)
            book(self, &self->nodes[i], pod);
    }
}

/* ---- choosing ----------------------------------------------------------------------------- */

static int64_t crowd(const round_t *self, const json_t *pod, const node_info_t *info)
{
    AUTO_FREE char *key = sibling_key(pod, info->node);
    int64_t siblings =
        object_controller(pod) ? json_integer_value(json_object_get(self->siblings, key)) : 0;
    return siblings * 1000000000 + info->used.pods;
}

typedef struct outcome {
    node_info_t *best;
    json_t *reasons; /* against each node, counted */
    size_t hopeless; /* nodes on which no eviction could help */
} outcome_t;

static bool has_volumes(const round_t *self, const json_t *pod, const node_info_t *info,
    json_t *reasons, bool *is_final)
{
    const char *refusal = volume_fit_node(self->scheduler->store, pod, info->node);
    if (!refusal)
        return true;
    json_int_t count = json_integer_value(json_object_get(reasons, refusal));
    json_object_set_new(reasons, refusal, json_integer(count + 1));
    *is_final = true;
    return false;
}

static outcome_t choose(const round_t *self, const json_t *pod)
{
    outcome_t outcome = {.reasons = json_object()};
    for (size_t i = 0; i < self->node_count; i++) {
        node_info_t *info = &self->nodes[i];
        bool is_final = false;
        if (fit_check(info, pod, outcome.reasons, &is_final)
            && has_volumes(self, pod, info, outcome.reasons, &is_final)) {
            if (!outcome.best || crowd(self, pod, info) < crowd(self, pod, outcome.best))
                outcome.best = info;
        } else {
            outcome.hopeless += is_final;
        }
    }
    return outcome;
}

/* ---- binding ------------------------------------------------------------------------------ */

static json_t *with_condition(const json_t *pod, condition_t condition)
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

static void assign(round_t *self, json_t *pod, node_info_t *info)
{
    scheduler_t *scheduler = self->scheduler;
    const char *node = object_name(info->node);
    book(self, info, pod);
    if (!volume_fit_settle(scheduler->store, pod, info->node))
        return; /* the claims' changes bring us back */
    json_t *copy = with_condition(pod, (condition_t){"PodScheduled", "True", NULL, NULL, false});
    json_t *spec = json_copy(json_object_get(pod, "spec"));
    json_object_set_new(spec, "nodeName", json_string(node));
    json_object_set_new(copy, "spec", spec);
    if (store_update(scheduler->store, scheduler->pod_kind, copy, STORE_ALL, NULL) < 0)
        return; /* changed meanwhile: its change brings us back */
    event_record(scheduler->store, source, pod, NULL, "Normal", "Scheduled",
        "Successfully assigned %s/%s to %s", object_namespace(pod), object_name(pod), node);
}

/* ---- failing ------------------------------------------------------------------------------ */

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

/* kube-scheduler's sentence, with what it says of preemption. */
static char *why_not(const round_t *self, const outcome_t *outcome)
{
    if (self->node_count == 0)
        return xstrdup("no nodes available to schedule pods");
    json_auto_t *preemption = json_object();
    size_t helpable = self->node_count - outcome->hopeless;
    if (outcome->hopeless)
        json_object_set_new(preemption, "Preemption is not helpful for scheduling",
            json_integer((json_int_t)outcome->hopeless));
    if (helpable)
        json_object_set_new(preemption, "No preemption victims found for incoming pod",
            json_integer((json_int_t)helpable));
    AUTO_FREE char *reasons = join_reasons(outcome->reasons);
    AUTO_FREE char *vain = join_reasons(preemption);
    return xasprintf("0/%zu nodes are available: %s. preemption: 0/%zu nodes are available: %s.",
        self->node_count, reasons, self->node_count, vain);
}

static void complain(round_t *self, json_t *pod, const char *why)
{
    scheduler_t *scheduler = self->scheduler;
    const json_t *said = object_condition(pod, "PodScheduled");
    if (strcmp(object_string(said, "message"), why) == 0)
        return;
    event_record(scheduler->store, source, pod, NULL, "Warning", "FailedScheduling", "%s", why);
    json_t *copy =
        with_condition(pod, (condition_t){"PodScheduled", "False", "Unschedulable", why, false});
    (void)store_update(scheduler->store, scheduler->pod_kind, copy, STORE_STATUS, NULL);
}

/* ---- rounds ------------------------------------------------------------------------------- */

static void place(round_t *self, json_t *pod)
{
    AUTO_FREE char *hopeless = volume_fit_reason(self->scheduler->store, pod);
    if (hopeless) {
        AUTO_FREE char *why = xasprintf("0/%zu nodes are available: %s. preemption: 0/%zu nodes "
                                        "are available: %zu Preemption is not helpful for "
                                        "scheduling.",
            self->node_count, hopeless, self->node_count, self->node_count);
        complain(self, pod, why);
        return;
    }
    outcome_t outcome = choose(self, pod);
    if (outcome.best) {
        assign(self, pod, outcome.best);
    } else {
        AUTO_FREE char *why = why_not(self, &outcome);
        complain(self, pod, why);
    }
    json_decref(outcome.reasons);
}

static void on_round(void *arg)
{
    scheduler_t *self = arg;
    self->timer_id = 0;
    round_t round = {.scheduler = self, .waiting = json_array(), .siblings = json_object()};
    store_each(self->store, self->node_kind, NULL, add_node, &round);
    store_each(self->store, self->pod_kind, NULL, add_pod, &round);
    size_t i = 0;
    json_t *pod = NULL;
    json_array_foreach(round.waiting, i, pod)
    {
        place(&round, pod);
    }
    for (i = 0; i < round.node_count; i++)
        json_decref(round.nodes[i].ports);
    free(round.nodes);
    json_decref(round.waiting);
    json_decref(round.siblings);
}

static void start_round(scheduler_t *self)
{
    if (!self->timer_id)
        self->timer_id = ev_after(self->ev, 0, on_round, self);
}

/* A new pod wants a place; one that left its place, or changed what it wants, may let another in.
 */
static void on_pod(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    (void)kind;
    bool is_waiting = change != STORE_DELETED && !*object_string(object, "spec.nodeName");
    bool has_left =
        *object_string(object, "spec.nodeName")
        && (change == STORE_DELETED || (old && pod_is_ended(object) && !pod_is_ended(old)));
    if (is_waiting || has_left)
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
