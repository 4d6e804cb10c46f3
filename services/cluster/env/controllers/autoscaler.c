/* HorizontalPodAutoscaler: replicas by what pods use, every 15 seconds, with the rules and words of
 * kube-controller-manager 1.30. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/autoscale.h"
#include "services/cluster/env/controllers/conditions.h"
#include "services/cluster/env/controllers/controller.h"
#include "services/cluster/env/controllers/work_queue.h"
#include "services/cluster/env/events.h"
#include "services/cluster/env/object.h"

enum { PERIOD_MS = 15000, DOWN_WINDOW_SECONDS = 300, UP_PODS = 4 };

static const event_source_t source = {"horizontal-pod-autoscaler", NULL};

typedef struct autoscalers {
    ev_t *ev;
    store_t *store;
    usage_t *usage;
    const kind_t *kind;
    work_queue_t *queue;
    store_watch_t *watch;
    json_t *history; /* by uid: [[when, replicas], …] of what was recommended */
} autoscalers_t;

/* One autoscaler while the controller looks at it. */
typedef struct look {
    autoscalers_t *owner;
    const json_t *scaler;
    const kind_t *target_kind;
    const json_t *target; /* borrowed */
    json_t *conditions;
    json_t *metrics; /* currentMetrics, or NULL */
    int64_t now;     /* replicas */
    int64_t wanted;
    const char *reason; /* of a change; static or in text */
    char text[160];
} look_t;

static void set_condition(
    look_t *self, const char *type, const char *status, const char *reason, const char *message)
{
    (void)condition_set(self->conditions, (condition_t){type, status, reason, message, false});
}

static void complain(look_t *self, const char *reason, const char *message)
{
    event_record(self->owner->store, source, self->scaler, NULL, "Warning", reason, "%s", message);
}

/* ---- what is wanted ----------------------------------------------------------------------- */

static bool find_target(look_t *self)
{
    const char *version = object_string(self->scaler, "spec.scaleTargetRef.apiVersion");
    const char *kind = object_string(self->scaler, "spec.scaleTargetRef.kind");
    const char *name = object_string(self->scaler, "spec.scaleTargetRef.name");
    self->target_kind = *version ? kind_find_type(version, kind) : kind_find(kind);
    bool has_scale = self->target_kind && self->target_kind->has_scale;
    self->target = has_scale ? store_get(
                       self->owner->store, self->target_kind, object_namespace(self->scaler), name)
                             : NULL;
    if (self->target)
        return true;
    AUTO_FREE char *why =
        has_scale ? xasprintf("%s \"%s\" not found", kind_qualified(self->target_kind), name)
                  : xasprintf("no matches for kind \"%s\" in group \"%s\"", kind, version);
    AUTO_FREE char *message =
        xasprintf("the HPA controller was unable to get the target's current scale: %s", why);
    set_condition(self, "AbleToScale", "False", "FailedGetScale", message);
    complain(self, "FailedGetScale", why);
    return false;
}

/* What was wanted lately holds: the most of the last minutes before going down. */
static int64_t stabilized(look_t *self, int64_t wanted)
{
    json_t *history = json_object_get(self->owner->history, object_uid(self->scaler));
    int64_t now_ms = ev_now(self->owner->ev);
    int64_t window_ms =
        1000
        * object_integer(self->scaler, "spec.behavior.scaleDown.stabilizationWindowSeconds",
            DOWN_WINDOW_SECONDS);
    int64_t most = wanted;
    if (!history) {
        history = json_pack("[[I, I]]", (json_int_t)now_ms, (json_int_t)self->now);
        json_object_set_new(self->owner->history, object_uid(self->scaler), history);
    }
    for (size_t i = json_array_size(history); i > 0; i--) {
        const json_t *entry = json_array_get(history, i - 1);
        int64_t replicas = json_integer_value(json_array_get(entry, 1));
        if (json_integer_value(json_array_get(entry, 0)) + window_ms <= now_ms)
            (void)json_array_remove(history, i - 1);
        else if (replicas > most)
            most = replicas;
    }
    json_array_append_new(history, json_pack("[I, I]", (json_int_t)now_ms, (json_int_t)wanted));
    return wanted >= self->now ? wanted : most < self->now ? most : self->now;
}

/* Up at most to twice as many, or four more. */
static int64_t up_limit(int64_t now)
{
    return 2 * now > now + UP_PODS ? 2 * now : now + UP_PODS;
}

static int64_t limited(look_t *self, int64_t wanted)
{
    int64_t most = object_integer(self->scaler, "spec.maxReplicas", 1);
    int64_t least = object_integer(self->scaler, "spec.minReplicas", 1);
    if (wanted > most) {
        set_condition(self, "ScalingLimited", "True", "TooManyReplicas",
            "the desired replica count is more than the maximum replica count");
        return most;
    }
    if (wanted < least) {
        set_condition(self, "ScalingLimited", "True", "TooFewReplicas",
            "the desired replica count is less than the minimum replica count");
        return least;
    }
    if (wanted > up_limit(self->now)) {
        set_condition(self, "ScalingLimited", "True", "ScaleUpLimit",
            "the desired replica count is increasing faster than the maximum scale rate");
        return up_limit(self->now);
    }
    set_condition(self, "ScalingLimited", "False", "DesiredWithinRange",
        "the desired count is within the acceptable range");
    return wanted;
}

static void tell_problem(look_t *self, const advice_t *advice)
{
    AUTO_FREE char *message =
        xasprintf("the HPA was unable to compute the replica count: %s", advice->problem);
    AUTO_FREE char *summary =
        xasprintf("invalid metrics (%zu invalid out of %zu), first error is: failed to get "
                  "resource metric value: %s",
            advice->broken, advice->count, advice->problem);
    complain(self, "FailedGetResourceMetric", advice->problem);
    if (advice->because)
        return;
    complain(self, "FailedComputeMetricsReplicas", summary);
    set_condition(self, "ScalingActive", "False", "FailedGetResourceMetric", message);
}

static void follow_metrics(look_t *self)
{
    advice_t advice =
        advice_new(self->owner->store, self->owner->usage, self->scaler, self->target, self->now);
    self->metrics = json_incref(advice.status);
    if (advice.problem)
        tell_problem(self, &advice);
    if (advice.because) {
        AUTO_FREE char *message = xasprintf(
            "the HPA was able to successfully calculate a replica count from %s", advice.because);
        set_condition(self, "ScalingActive", "True", "ValidMetricFound", message);
        int64_t stable = stabilized(self, advice.replicas);
        if (stable != advice.replicas)
            set_condition(self, "AbleToScale", "True", "ScaleDownStabilized",
                "recent recommendations were higher than current one, applying the highest recent "
                "recommendation");
        else
            set_condition(self, "AbleToScale", "True", "ReadyForNewScale",
                "recommended size matches current size");
        self->wanted = limited(self, stable);
        if (self->wanted > self->now)
            (void)snprintf(self->text, sizeof(self->text), "%s above target", advice.because);
        self->reason = self->wanted > self->now ? self->text : "All metrics below target";
    }
    advice_done(&advice);
}

static void decide(look_t *self)
{
    int64_t most = object_integer(self->scaler, "spec.maxReplicas", 1);
    int64_t least = object_integer(self->scaler, "spec.minReplicas", 1);
    self->wanted = self->now;
    set_condition(self, "AbleToScale", "True", "SucceededGetScale",
        "the HPA controller was able to get the "
        "target's current scale");
    if (self->now == 0) {
        set_condition(self, "ScalingActive", "False", "ScalingDisabled",
            "scaling is disabled since the replica count of the target is zero");
    } else if (self->now > most) {
        self->wanted = most;
        self->reason = "Current number of replicas above Spec.MaxReplicas";
    } else if (self->now < least) {
        self->wanted = least;
        self->reason = "Current number of replicas below Spec.MinReplicas";
    } else {
        follow_metrics(self);
    }
}

/* ---- doing it ----------------------------------------------------------------------------- */

static bool rescale(look_t *self)
{
    err_t err = {0};
    json_t *copy = object_copy(self->target, "spec");
    AUTO_FREE char *done = xasprintf(
        "the HPA controller was able to update the target scale to %lld", (long long)self->wanted);
    object_set(copy, "spec.replicas", json_integer(self->wanted));
    if (store_update(self->owner->store, self->target_kind, copy, STORE_SPEC, &err) < 0) {
        event_record(self->owner->store, source, self->scaler, NULL, "Warning", "FailedRescale",
            "New size: %lld; reason: %s; error: %s", (long long)self->wanted, self->reason,
            err.text);
        return false;
    }
    set_condition(self, "AbleToScale", "True", "SucceededRescale", done);
    event_record(self->owner->store, source, self->scaler, NULL, "Normal", "SuccessfulRescale",
        "New size: %lld; reason: %s", (long long)self->wanted, self->reason);
    return true;
}

static void put_status(look_t *self, bool is_rescaled)
{
    json_t *copy = object_copy(self->scaler, "status");
    json_t *status = json_object_get(copy, "status");
    json_object_set(status, "conditions", self->conditions);
    json_object_set_new(status, "currentReplicas", json_integer(self->now));
    json_object_set_new(status, "desiredReplicas", json_integer(self->wanted));
    if (self->metrics)
        json_object_set(status, "currentMetrics", self->metrics);
    else
        json_object_del(status, "currentMetrics");
    if (is_rescaled)
        json_object_set_new(status, "lastScaleTime", object_time_now());
    (void)store_update(self->owner->store, self->owner->kind, copy, STORE_STATUS, NULL);
}

static void reconcile(void *arg, const char *namespace, const char *name)
{
    autoscalers_t *self = arg;
    json_auto_t *scaler = json_incref(store_get(self->store, self->kind, namespace, name));
    if (!scaler || object_is_deleted(scaler))
        return;
    json_t *known = object_at(scaler, "status.conditions");
    json_auto_t *conditions = known ? json_deep_copy(known) : json_array();
    look_t look = {.owner = self, .scaler = scaler, .conditions = conditions};
    bool is_rescaled = false;
    if (find_target(&look)) {
        look.now = object_integer(look.target, "spec.replicas", 1);
        decide(&look);
        is_rescaled = look.wanted != look.now && rescale(&look);
    }
    put_status(&look, is_rescaled);
    json_decref(look.metrics);
    work_queue_add_after(self->queue, namespace, name, PERIOD_MS);
}

/* Its own status changes are no reason to look again. */
static void on_autoscaler(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    autoscalers_t *self = arg;
    (void)kind;
    if (change == STORE_DELETED)
        json_object_del(self->history, object_uid(object));
    else if (!old || !json_equal(json_object_get(object, "spec"), json_object_get(old, "spec")))
        work_queue_add_object(self->queue, object);
}

static void add(void *arg, json_t *scaler)
{
    work_queue_add_object(((autoscalers_t *)arg)->queue, scaler);
}

/* ---- life cycle --------------------------------------------------------------------------- */

static void *open_autoscalers(const controller_deps_t *deps)
{
    autoscalers_t *self = xcalloc(1, sizeof(*self));
    self->ev = deps->ev;
    self->store = deps->store;
    self->usage = deps->usage;
    self->kind = kind_find("HorizontalPodAutoscaler");
    self->history = json_object();
    self->queue = work_queue_new(deps->ev, reconcile, self);
    self->watch = store_watch(deps->store, self->kind, on_autoscaler, self);
    store_each(deps->store, self->kind, NULL, add, self);
    return self;
}

static void close_autoscalers(void *arg)
{
    autoscalers_t *self = arg;
    store_watch_end(&self->watch);
    work_queue_destroy(&self->queue);
    json_decref(self->history);
    free(self);
}

const controller_kind_t controller_autoscaler = {
    .name = "horizontal-pod-autoscaler",
    .open = open_autoscalers,
    .close = close_autoscalers,
};
