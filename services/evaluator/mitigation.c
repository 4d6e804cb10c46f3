#include "services/evaluator/mitigation.h"

#include "base/auto.h"
#include "base/mem.h"
#include "kube/kube.h"
#include "services/evaluator/conditions.h"
#include "services/evaluator/fresh_load.h"
#include "services/evaluator/readiness.h"
#include "services/evaluator/snapshot.h"

enum { CALL_MS = 15 * 1000, AGAIN_MS = 500, HOPE_MS = 3000 };

struct mitigation {
    ev_t *ev;   /* borrowed */
    bus_t *bus; /* borrowed */
    char *env;
    json_t *faults; /* ids, as an array */
    size_t fault;   /* the one that is asked about */
    json_t *problem;
    json_t *baseline; /* NULL: none was taken */
    mitigation_done_fn *on_done;
    void *arg;

    int64_t began_ms;
    int64_t ready_since_ms; /* 0: not all are ready */
    int call;               /* a request under way; 0: none */
    int again_timer;        /* until it is asked again */
    int settle_timer;
    int hold_timer; /* until readiness has lasted */
    int hope_timer; /* until what cannot come by itself is given up */
    int end_timer;
    kube_t *kube;
    readiness_t *readiness;
    json_t *recreated;  /* pods that were deleted here; NULL: not yet */
    fresh_load_t *load; /* NULL: none runs */
    snapshot_t *snapshot;
    json_t *difference; /* from the baseline; NULL: not measured */

    err_t err;
    bool is_mitigated;
    conditions_t conditions;
};

static json_t *expected(const mitigation_t *self, const char *key)
{
    return json_object_get(json_object_get(self->problem, "expected"), key);
}

static json_int_t number(const mitigation_t *self, const char *key)
{
    return json_integer_value(expected(self, key));
}

static const char *namespace_of(const mitigation_t *self)
{
    return json_string_value(json_object_get(self->problem, "namespace"));
}

/* ---- the end ------------------------------------------------------------------------------ */

static void stop_waiting(mitigation_t *self)
{
    bus_cancel(self->bus, self->call);
    int *timers[] = {&self->again_timer, &self->settle_timer, &self->hold_timer, &self->hope_timer};
    for (size_t i = 0; i < ARRAY_SIZE(timers); i++) {
        ev_cancel(self->ev, *timers[i]);
        *timers[i] = 0;
    }
    self->call = 0;
    readiness_destroy(&self->readiness);
    snapshot_destroy(&self->snapshot);
    fresh_load_destroy(&self->load);
}

static void on_end(void *arg)
{
    mitigation_t *self = arg;
    self->end_timer = 0;
    json_auto_t *results =
        json_pack("{s:o, s:o}", "conditions", conditions_to_json(&self->conditions), "blast_radius",
            conditions_blast_radius(self->difference, self->problem));
    self->on_done(self->arg, self->err.code ? &self->err : NULL, self->is_mitigated, results);
}

/* From its own place on the loop, so that it may be destroyed there. */
static void end(mitigation_t *self, bool is_mitigated)
{
    stop_waiting(self);
    self->is_mitigated = is_mitigated;
    if (!self->end_timer)
        self->end_timer = ev_after(self->ev, 0, on_end, self);
}

static void on_settled(void *arg)
{
    mitigation_t *self = arg;
    self->settle_timer = 0;
    const err_t *trouble = self->load ? fresh_load_trouble(self->load) : NULL;
    if (trouble)
        self->err = *trouble;
    if (!self->conditions.seen[CONDITION_FAULT_GONE] && !self->err.code)
        err_set(&self->err, ERR_TIMEOUT, "the fault's check was not answered");
    end(self, false);
}

/* ---- asking ------------------------------------------------------------------------------- */

static void ask(mitigation_t *self, const char *target, const codec_type_t *type,
    const void *message, bus_reply_fn *on_reply)
{
    bus_call_t call = {.target = target, .type = type, .message = message, .timeout_ms = CALL_MS};
    self->call = bus_request(self->bus, &call, on_reply, self);
}

/* Somebody could not answer: asks again, until the settle time is over. */
static void ask_again(mitigation_t *self, const err_t *why, ev_timer_fn *again)
{
    self->err = *why;
    self->again_timer = ev_after(self->ev, AGAIN_MS, again, self);
}

/* ---- nothing else broken ------------------------------------------------------------------ */

static void await_readiness(mitigation_t *self);

static void conclude(mitigation_t *self)
{
    const json_t *unbroken = self->conditions.seen[CONDITION_UNBROKEN];
    bool is_gone =
        json_array_size(json_object_get(json_object_get(unbroken, "measured"), "objects_gone"));
    bool is_ready = self->ready_since_ms;
    if (is_ready && conditions_are_met(&self->conditions))
        end(self, true);
    else if (is_gone)
        end(self, false); /* what the agent took away does not come back by itself */
    else
        await_readiness(self);
}

static void on_compared(void *arg, const err_t *err, const json_t *snapshot)
{
    mitigation_t *self = arg;
    if (!err) {
        json_decref(self->difference);
        self->difference = snapshot_compare(self->baseline, snapshot);
        conditions_note_difference(&self->conditions, self->difference);
    }
    snapshot_destroy(&self->snapshot);
    conclude(self);
}

static void compare(mitigation_t *self)
{
    if (self->baseline) {
        self->snapshot = snapshot_new(self->ev, self->kube, self->problem, on_compared, self);
        return;
    }
    conditions_note(
        &self->conditions, CONDITION_UNBROKEN, true, json_string("no baseline was taken"));
    conclude(self);
}

static void on_loaded(void *arg, const load_report_t *report)
{
    mitigation_t *self = arg;
    conditions_note_load(&self->conditions, report, self->problem, self->baseline);
    fresh_load_destroy(&self->load);
    compare(self);
}

/* ---- pods made anew ----------------------------------------------------------------------- */

/* Deletes the pods that the problem names, once. */
static void recreate(mitigation_t *self)
{
    self->recreated = readiness_pods_of(self->readiness, expected(self, "recreate"));
    size_t i;
    json_t *pod;
    conditions_note(&self->conditions, CONDITION_LASTS, false,
        json_pack("{s:O}", "pods_deleted", self->recreated));
    json_array_foreach(self->recreated, i, pod)
    {
        /* One that could not be deleted stays, and that is seen. */
        (void)kube_send(self->kube,
            kube_delete(KUBE("Pod", namespace_of(self), json_string_value(pod)), -1), NULL, NULL);
    }
}

/* Whether none of those that were deleted is left. */
static bool is_recreated(const mitigation_t *self)
{
    size_t i;
    json_t *pod;
    json_array_foreach(self->recreated, i, pod)
    {
        if (readiness_has_pod(self->readiness, json_string_value(pod)))
            return false;
    }
    return self->recreated != NULL;
}

/* ---- readiness, and that it lasts --------------------------------------------------------- */

static void on_held(void *arg)
{
    mitigation_t *self = arg;
    self->hold_timer = 0;
    conditions_note(&self->conditions, CONDITION_READY, true,
        json_pack("{s:I, s:I}", "held_ms", (json_int_t)(ev_now(self->ev) - self->ready_since_ms),
            "after_ms", (json_int_t)(self->ready_since_ms - self->began_ms)));
    conditions_note(&self->conditions, CONDITION_LASTS, true,
        json_pack("{s:O}", "pods_recreated", self->recreated));
    self->load = fresh_load_new(self->ev, self->bus, self->env, self->problem, on_loaded, self);
}

/* Whether a load is under way, or what it left is looked at. */
static bool is_loading(const mitigation_t *self)
{
    return self->load || self->snapshot;
}

static void on_hopeless(void *arg)
{
    mitigation_t *self = arg;
    self->hope_timer = 0;
    end(self, false);
}

/* The agent has said that it is done, so what is deleted or scaled to zero stays so; a short while
 * is left for what was already on its way. */
static void consider_hope(mitigation_t *self, bool is_hopeless)
{
    if (is_hopeless && !self->hope_timer) {
        self->hope_timer = ev_after(self->ev, HOPE_MS, on_hopeless, self);
    } else if (!is_hopeless) {
        ev_cancel(self->ev, self->hope_timer);
        self->hope_timer = 0;
    }
}

/* Not ready (any more): after pods were made anew, it is they that are not right. */
static void on_unready(mitigation_t *self, const json_t *unready)
{
    condition_t condition = self->recreated ? CONDITION_LASTS : CONDITION_READY;
    self->ready_since_ms = 0;
    if (!is_loading(self)) {
        ev_cancel(self->ev, self->hold_timer);
        self->hold_timer = 0;
    }
    conditions_note(&self->conditions, condition, false,
        json_pack("{s:o}", "unready", json_deep_copy(unready)));
}

static void on_ready(mitigation_t *self)
{
    if (!self->recreated) {
        conditions_note(&self->conditions, CONDITION_READY, true, json_object());
        recreate(self);
    }
    if (!is_recreated(self))
        return;
    if (!self->ready_since_ms)
        self->ready_since_ms = ev_now(self->ev);
    if (!self->hold_timer && !is_loading(self))
        self->hold_timer = ev_after(self->ev, number(self, "hold_ms"), on_held, self);
}

static void on_look(void *arg, const json_t *unready, bool is_hopeless)
{
    mitigation_t *self = arg;
    consider_hope(self, is_hopeless);
    if (json_object_size(unready))
        on_unready(self, unready);
    else
        on_ready(self);
}

static void await_readiness(mitigation_t *self)
{
    self->ready_since_ms = 0;
    readiness_look(self->readiness);
}

/* ---- the fault ---------------------------------------------------------------------------- */

static void get_env(void *arg);

static void on_env(void *arg, const bus_reply_t *reply)
{
    mitigation_t *self = arg;
    self->call = 0;
    if (reply->err && reply->err->code != ERR_NOT_FOUND) {
        ask_again(self, reply->err, get_env);
        return;
    }
    self->err = reply->err ? *reply->err : (err_t){0};
    if (!self->err.code) {
        const env_info_t *info = reply->message;
        kube_config_t config = {
            .server = info->server ? info->server : "", .token = info->token, .ca_pem = info->ca};
        self->kube = kube_new(self->ev, &config, &self->err);
    }
    if (!self->kube) {
        end(self, false);
        return;
    }
    self->readiness =
        readiness_new(self->kube, namespace_of(self), expected(self, "deployments"), on_look, self);
}

static void get_env(void *arg)
{
    mitigation_t *self = arg;
    self->again_timer = 0;
    ask(self, "cluster", &env_get_type, &(env_get_t){self->env}, on_env);
}

static void check_fault(void *arg);

static void on_checked(void *arg, const bus_reply_t *reply)
{
    mitigation_t *self = arg;
    self->call = 0;
    if (reply->err && reply->err->code != ERR_NOT_FOUND) {
        ask_again(self, reply->err, check_fault);
        return;
    }
    self->err = (err_t){0};
    self->fault++;
    conditions_note_fault(&self->conditions, reply);
    if (conditions_is_fault_gone(reply))
        check_fault(self);
    else
        end(self, false); /* nothing that may still come can change that */
}

static void check_fault(void *arg)
{
    mitigation_t *self = arg;
    const char *fault = json_string_value(json_array_get(self->faults, self->fault));
    self->again_timer = 0;
    if (fault) {
        ask(self, "injector", &fault_check_type, &(fault_check_t){fault}, on_checked);
        return;
    }
    if (self->fault == 0)
        conditions_note(&self->conditions, CONDITION_FAULT_GONE, true, json_array());
    get_env(self);
}

/* ---- life cycle --------------------------------------------------------------------------- */

mitigation_t *mitigation_new(
    ev_t *ev, bus_t *bus, const session_judge_t *judge, mitigation_done_fn *on_done, void *arg)
{
    mitigation_t *self = xcalloc(1, sizeof(*self));
    self->ev = ev;
    self->bus = bus;
    self->env = xstrdup(judge->env);
    self->faults = json_array();
    for (size_t i = 0; i < judge->fault_ids.count; i++)
        json_array_append_new(self->faults, json_string(judge->fault_ids.items[i]));
    self->problem = json_deep_copy(judge->problem);
    self->baseline = judge->baseline ? json_deep_copy(judge->baseline) : NULL;
    self->on_done = on_done;
    self->arg = arg;
    self->began_ms = ev_now(ev);
    self->settle_timer = ev_after(ev, number(self, "settle_ms"), on_settled, self);
    check_fault(self);
    return self;
}

void mitigation_destroy(mitigation_t **self_p)
{
    mitigation_t *self = TAKE(*self_p);
    if (!self)
        return;
    stop_waiting(self);
    ev_cancel(self->ev, self->end_timer);
    kube_destroy(&self->kube);
    conditions_done(&self->conditions);
    json_t *trees[] = {
        self->faults, self->problem, self->baseline, self->recreated, self->difference};
    for (size_t i = 0; i < ARRAY_SIZE(trees); i++)
        json_decref(trees[i]);
    free(self->env);
    free(self);
}
