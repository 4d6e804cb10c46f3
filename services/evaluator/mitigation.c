#include "services/evaluator/mitigation.h"

#include "base/auto.h"
#include "base/mem.h"
#include "kube/kube.h"
#include "proto/messages.h"
#include "services/evaluator/readiness.h"

enum { CALL_MS = 15 * 1000, AGAIN_MS = 500, HOPE_MS = 3000 };

struct mitigation {
    ev_t *ev;   /* borrowed */
    bus_t *bus; /* borrowed */
    char *env;
    char *fault_id; /* NULL: none */
    json_t *problem;
    mitigation_done_fn *on_done;
    void *arg;

    int64_t began_ms;
    int64_t ready_since_ms; /* 0: not all are ready */
    int call;               /* a request under way; 0: none */
    int again_timer;        /* until it is asked again */
    int settle_timer;
    int hold_timer; /* until readiness has lasted, or the load has */
    int hope_timer; /* until what cannot come by itself is given up */
    int end_timer;
    kube_t *kube;
    readiness_t *readiness;
    char *load; /* the fresh one; NULL: none runs */

    err_t err;
    bool is_mitigated;
    json_t *fault_seen, *ready_seen, *load_seen; /* {met, measured}; NULL: not measured */
};

static json_int_t number(const mitigation_t *self, const char *key)
{
    return json_integer_value(json_object_get(json_object_get(self->problem, "expected"), key));
}

/* Notes what was measured, in place of what was measured before. */
static void note(json_t **seen_p, bool is_met, json_t *measured /* taken */)
{
    json_decref(*seen_p);
    *seen_p = json_pack("{s:b, s:o}", "met", (int)is_met, "measured", measured);
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
}

static json_t *condition(const char *name, const json_t *seen)
{
    if (!seen)
        return json_pack("{s:s, s:n, s:n}", "condition", name, "met", "measured");
    json_t *condition = json_pack("{s:s}", "condition", name);
    json_object_update(condition, (json_t *)seen);
    return condition;
}

static void on_end(void *arg)
{
    mitigation_t *self = arg;
    self->end_timer = 0;
    json_t *conditions = json_pack("[o, o, o]", condition("fault gone", self->fault_seen),
        condition("application ready", self->ready_seen),
        condition("fresh load succeeds", self->load_seen));
    self->on_done(self->arg, self->err.code ? &self->err : NULL, self->is_mitigated, conditions);
    json_decref(conditions);
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
    if (!self->fault_seen && !self->err.code)
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

/* ---- 3. a fresh load ---------------------------------------------------------------------- */

static void await_readiness(mitigation_t *self);
static void stop_load(void *arg);

static bool judge_load(mitigation_t *self, const load_report_t *report)
{
    json_int_t wanted = number(self, "success_percent");
    json_int_t rate =
        json_integer_value(json_object_get(json_object_get(self->problem, "load"), "rate"));
    json_int_t least = rate * number(self, "load_ms") / 2000;
    bool is_enough = report->sent > 0 && report->sent >= least;
    bool is_met = is_enough && report->ok * 100 >= report->sent * wanted;
    note(&self->load_seen, is_met,
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:f}", "sent", (json_int_t)report->sent, "ok",
            (json_int_t)report->ok, "errors", (json_int_t)report->errors, "wanted_percent", wanted,
            "wanted_requests", least, "p99_ms", report->p99_ms));
    return is_met;
}

static void on_load_stopped(void *arg, const bus_reply_t *reply)
{
    mitigation_t *self = arg;
    self->call = 0;
    if (reply->err) {
        ask_again(self, reply->err, stop_load);
        return;
    }
    self->err = (err_t){0};
    free(self->load);
    self->load = NULL;
    bool is_met = judge_load(self, reply->message);
    if (is_met && self->ready_since_ms)
        end(self, true);
    else
        await_readiness(self);
}

static void stop_load(void *arg)
{
    mitigation_t *self = arg;
    self->again_timer = self->hold_timer = 0;
    ask(self, "loadgen", &load_stop_type, &(load_stop_t){self->load}, on_load_stopped);
}

static void start_load(void *arg);

static void on_load_started(void *arg, const bus_reply_t *reply)
{
    mitigation_t *self = arg;
    self->call = 0;
    if (reply->err) {
        ask_again(self, reply->err, start_load);
        return;
    }
    self->err = (err_t){0};
    self->load = xstrdup(((const load_started_t *)reply->message)->load);
    self->hold_timer = ev_after(self->ev, number(self, "load_ms"), stop_load, self);
}

static void start_load(void *arg)
{
    mitigation_t *self = arg;
    const json_t *load = json_object_get(self->problem, "load");
    self->again_timer = self->hold_timer = 0;
    load_start_t message = {.env = self->env,
        .url = json_string_value(json_object_get(load, "url")),
        .mix = json_string_value(json_object_get(load, "mix")),
        .rate = (double)json_integer_value(json_object_get(load, "rate")),
        .distribution = json_string_value(json_object_get(load, "distribution")),
        .connections = json_integer_value(json_object_get(load, "connections")),
        .seed = 1};
    ask(self, "loadgen", &load_start_type, &message, on_load_started);
}

/* ---- 2. readiness, and that it lasts ------------------------------------------------------ */

static void on_held(void *arg)
{
    mitigation_t *self = arg;
    self->hold_timer = 0;
    note(&self->ready_seen, true,
        json_pack("{s:I, s:I}", "held_ms", (json_int_t)(ev_now(self->ev) - self->ready_since_ms),
            "after_ms", (json_int_t)(self->ready_since_ms - self->began_ms)));
    start_load(self);
}

/* Whether a load is being started, running or being stopped. */
static bool is_loading(const mitigation_t *self)
{
    return self->load || self->call || self->again_timer;
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

static void on_look(void *arg, const json_t *unready, bool is_hopeless)
{
    mitigation_t *self = arg;
    bool is_ready = json_object_size(unready) == 0;
    consider_hope(self, is_hopeless);
    if (!is_ready) {
        self->ready_since_ms = 0;
        if (!is_loading(self)) {
            ev_cancel(self->ev, self->hold_timer);
            self->hold_timer = 0;
        }
        note(&self->ready_seen, false, json_pack("{s:o}", "unready", json_deep_copy(unready)));
    } else if (!self->ready_since_ms) {
        self->ready_since_ms = ev_now(self->ev);
    }
    if (is_ready && !self->hold_timer && !is_loading(self))
        self->hold_timer = ev_after(self->ev, number(self, "hold_ms"), on_held, self);
}

static void await_readiness(mitigation_t *self)
{
    self->ready_since_ms = 0;
    readiness_look(self->readiness);
}

/* ---- 1. the fault ------------------------------------------------------------------------- */

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
    json_t *deployments =
        json_object_get(json_object_get(self->problem, "expected"), "deployments");
    self->readiness = readiness_new(self->kube,
        json_string_value(json_object_get(self->problem, "namespace")), deployments, on_look, self);
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
    const fault_status_t *status = reply->message;
    bool is_gone = reply->err || strcmp(status->state, "repaired") == 0
                   || strcmp(status->state, "dead") == 0 || strcmp(status->state, "recovered") == 0;
    json_t *measured = json_pack("{s:s}", "state", reply->err ? "unknown" : status->state);
    if (!reply->err && status->evidence)
        json_object_set(measured, "evidence", status->evidence);
    note(&self->fault_seen, is_gone, measured);
    if (is_gone)
        get_env(self);
    else
        end(self, false); /* nothing that may still come can change that */
}

static void check_fault(void *arg)
{
    mitigation_t *self = arg;
    self->again_timer = 0;
    ask(self, "injector", &fault_check_type, &(fault_check_t){self->fault_id}, on_checked);
}

/* ---- life cycle --------------------------------------------------------------------------- */

mitigation_t *mitigation_new(ev_t *ev, bus_t *bus, const char *env, const char *fault_id,
    const json_t *problem, mitigation_done_fn *on_done, void *arg)
{
    mitigation_t *self = xcalloc(1, sizeof(*self));
    self->ev = ev;
    self->bus = bus;
    self->env = xstrdup(env);
    self->fault_id = fault_id ? xstrdup(fault_id) : NULL;
    self->problem = json_deep_copy(problem);
    self->on_done = on_done;
    self->arg = arg;
    self->began_ms = ev_now(ev);
    self->settle_timer = ev_after(ev, number(self, "settle_ms"), on_settled, self);
    if (self->fault_id) {
        check_fault(self);
    } else {
        note(&self->fault_seen, true, json_pack("{s:s}", "state", "none"));
        get_env(self);
    }
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
    json_t *trees[] = {self->problem, self->fault_seen, self->ready_seen, self->load_seen};
    for (size_t i = 0; i < ARRAY_SIZE(trees); i++)
        json_decref(trees[i]);
    free(self->load);
    free(self->fault_id);
    free(self->env);
    free(self);
}
