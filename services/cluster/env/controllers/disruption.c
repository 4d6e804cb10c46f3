/* PodDisruptionBudget: how many of its pods may be evicted now. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/conditions.h"
#include "services/cluster/env/controllers/controller.h"
#include "services/cluster/env/controllers/pods.h"
#include "services/cluster/env/controllers/work_queue.h"
#include "services/cluster/env/events.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/selector.h"

/* An evicted pod is reckoned as gone for so long if its deletion is not seen. */
enum { EVICTION_SECONDS = 120 };

static const event_source_t source = {"controllermanager", NULL};

typedef struct disruptions {
    store_t *store;
    const kind_t *kind;
    const kind_t *pod_kind;
    work_queue_t *queue;
    store_watch_t *watch;
    store_watch_t *pod_watch;
    store_watch_t *set_watch;
} disruptions_t;

/* One budget while it is counted. */
typedef struct tally {
    store_t *store;
    const json_t *budget;
    selector_t *selector;
    json_t *disrupted; /* evicted and not gone yet: name → time; owned */
    json_t *scales;    /* replicas wanted, by uid of the topmost owner */
    int64_t pods;
    int64_t healthy;
    const char *unmanaged; /* a pod without a controller, or NULL */
} tally_t;

/* ---- what pods there should be ------------------------------------------------------------ */

/* The replicas that the pod's topmost controller wants go into the sum, once. */
static void add_scale(tally_t *self, const json_t *pod)
{
    const json_t *owner = pod;
    const json_t *reference = object_controller(pod);
    while (reference) {
        const kind_t *kind = kind_find_type(
            object_string(reference, "apiVersion"), object_string(reference, "kind"));
        const json_t *next = kind ? store_get(self->store, kind, object_namespace(pod),
                                 object_string(reference, "name"))
                                  : NULL;
        if (!next)
            break;
        owner = next;
        reference = object_controller(owner);
    }
    if (owner == pod)
        self->unmanaged = object_name(pod);
    else if (object_at(owner, "spec.replicas"))
        json_object_set(self->scales, object_uid(owner), object_at(owner, "spec.replicas"));
    else /* a Job, or a DaemonSet: what there is */
        json_object_set_new(self->scales, object_uid(pod), json_integer(1));
}

static int64_t expected(const tally_t *self)
{
    int64_t sum = 0;
    const char *uid = NULL;
    json_t *replicas = NULL;
    json_object_foreach(self->scales, uid, replicas)
    {
        sum += json_integer_value(replicas);
    }
    return sum;
}

static bool is_recent(const char *text)
{
    time_t at = object_time_parse(text);
    return at >= 0 && at + EVICTION_SECONDS >= time(NULL);
}

static void add_pod(void *arg, json_t *pod)
{
    tally_t *self = arg;
    if (pod_is_ended(pod) || !selector_matches(self->selector, object_at(pod, "metadata.labels")))
        return;
    const json_t *evicted =
        json_object_get(object_at(self->budget, "status.disruptedPods"), object_name(pod));
    add_scale(self, pod);
    self->pods++;
    if (object_is_deleted(pod))
        return;
    if (json_is_string(evicted) && is_recent(json_string_value(evicted)))
        json_object_set(self->disrupted, object_name(pod), (json_t *)evicted);
    else
        self->healthy += pod_is_ready(pod);
}

/* ---- the sum ------------------------------------------------------------------------------ */

/* A number, or a share rounded up. */
static int64_t amount_of(const json_t *amount, int64_t total)
{
    const char *text = json_string_value(amount);
    return text ? (total * strtol(text, NULL, 10) + 99) / 100 : json_integer_value(amount);
}

static void reckon(const tally_t *self, int64_t *expected_p, int64_t *desired_p)
{
    const json_t *minimum = object_at(self->budget, "spec.minAvailable");
    const json_t *maximum = object_at(self->budget, "spec.maxUnavailable");
    if (maximum) {
        *expected_p = expected(self);
        *desired_p = *expected_p - amount_of(maximum, *expected_p);
        *desired_p = *desired_p < 0 ? 0 : *desired_p;
    } else if (json_is_string(minimum)) {
        *expected_p = expected(self);
        *desired_p = amount_of(minimum, *expected_p);
    } else {
        *expected_p = self->pods;
        *desired_p = minimum ? json_integer_value(minimum) : 0;
    }
}

static void put_status(disruptions_t *self, const tally_t *tally)
{
    int64_t wanted = 0;
    int64_t desired = 0;
    reckon(tally, &wanted, &desired);
    int64_t allowed = tally->healthy - desired;
    allowed = allowed < 0 || wanted <= 0 ? 0 : allowed;
    int64_t generation = object_integer(tally->budget, "metadata.generation", 0);
    json_t *known = object_at(tally->budget, "status.conditions");
    json_t *conditions = known ? json_copy(known) : json_array();
    (void)condition_set(
        conditions, (condition_t){"DisruptionAllowed", allowed ? "True" : "False",
                        allowed ? "SufficientPods" : "InsufficientPods", "", false});
    json_t *condition = json_copy(condition_find(conditions, "DisruptionAllowed"));
    json_object_set_new(condition, "observedGeneration", json_integer(generation));
    condition_remove(conditions, "DisruptionAllowed");
    json_array_append_new(conditions, condition);
    json_t *status = json_pack("{s:o, s:I, s:I, s:I, s:I, s:I}", "conditions", conditions,
        "currentHealthy", (json_int_t)tally->healthy, "desiredHealthy", (json_int_t)desired,
        "disruptionsAllowed", (json_int_t)allowed, "expectedPods", (json_int_t)wanted,
        "observedGeneration", (json_int_t)generation);
    if (json_object_size(tally->disrupted))
        json_object_set(status, "disruptedPods", tally->disrupted);
    json_t *copy = object_copy(tally->budget, "");
    json_object_set_new(copy, "status", status);
    (void)store_update(self->store, self->kind, copy, STORE_STATUS, NULL); /* it is there */
}

/* ---- reconciling -------------------------------------------------------------------------- */

static void reconcile(void *arg, const char *namespace, const char *name)
{
    disruptions_t *self = arg;
    json_auto_t *budget = json_incref(store_get(self->store, self->kind, namespace, name));
    if (!budget)
        return;
    tally_t tally = {.store = self->store,
        .budget = budget,
        .disrupted = json_object(),
        .scales = json_object()};
    tally.selector = selector_new(object_at(budget, "spec.selector"), NULL);
    if (tally.selector)
        store_each(self->store, self->pod_kind, namespace, add_pod, &tally);
    if (tally.unmanaged && object_at(budget, "spec.maxUnavailable"))
        event_record(self->store, source, budget, NULL, "Warning", "UnmanagedPods",
            "Pods selected by this PodDisruptionBudget (selector: %s) were found to be unmanaged. "
            "As a result, the status of the PDB cannot be calculated correctly, which may result "
            "in undefined behavior. To account for these pods please set \".spec.minAvailable\" "
            "field of the PDB to an integer value.",
            tally.unmanaged);
    put_status(self, &tally);
    selector_destroy(&tally.selector);
    json_decref(tally.disrupted);
    json_decref(tally.scales);
}

static void add(void *arg, json_t *budget)
{
    work_queue_add_object(((disruptions_t *)arg)->queue, budget);
}

static void on_budget(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    (void)kind;
    (void)old;
    if (change != STORE_DELETED)
        add(arg, object);
}

/* Budgets are few: all of the namespace are counted again. */
static void on_other(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    disruptions_t *self = arg;
    (void)change;
    (void)kind;
    (void)old;
    store_each(self->store, self->kind, object_namespace(object), add, self);
}

/* ---- life cycle --------------------------------------------------------------------------- */

static void *open_disruptions(const controller_deps_t *deps)
{
    disruptions_t *self = xcalloc(1, sizeof(*self));
    self->store = deps->store;
    self->kind = kind_find("PodDisruptionBudget");
    self->pod_kind = kind_find("Pod");
    self->queue = work_queue_new(deps->ev, reconcile, self);
    self->watch = store_watch(deps->store, self->kind, on_budget, self);
    self->pod_watch = store_watch(deps->store, self->pod_kind, on_other, self);
    self->set_watch = store_watch(deps->store, kind_find("Deployment"), on_other, self);
    store_each(deps->store, self->kind, NULL, add, self);
    return self;
}

static void close_disruptions(void *arg)
{
    disruptions_t *self = arg;
    store_watch_end(&self->watch);
    store_watch_end(&self->pod_watch);
    store_watch_end(&self->set_watch);
    work_queue_destroy(&self->queue);
    free(self);
}

const controller_kind_t controller_disruption = {
    .name = "disruption",
    .open = open_disruptions,
    .close = close_disruptions,
};
