/* What all states of a session share: its life, its moves, and asking others with good manners. */
#include "services/orchestrator/session.h"

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "services/orchestrator/texts.h"

#define BIT(state) (1U << (state))

static const char *const names[SESSION_STATES] = {
    [SESSION_REQUESTED] = "requested",
    [SESSION_PROVISIONING] = "provisioning",
    [SESSION_BASELINE] = "baseline",
    [SESSION_FAULTED] = "faulted",
    [SESSION_ACTIVE] = "active",
    [SESSION_SUBMITTED] = "submitted",
    [SESSION_JUDGED] = "judged",
    [SESSION_CLOSED] = "closed",
    [SESSION_FAILED] = "failed",
};

static const uint16_t allowed[SESSION_STATES] = {
    [SESSION_REQUESTED] = BIT(SESSION_PROVISIONING) | BIT(SESSION_FAILED),
    [SESSION_PROVISIONING] = BIT(SESSION_BASELINE) | BIT(SESSION_FAILED),
    [SESSION_BASELINE] = BIT(SESSION_FAULTED) | BIT(SESSION_FAILED),
    [SESSION_FAULTED] = BIT(SESSION_ACTIVE) | BIT(SESSION_FAILED),
    [SESSION_ACTIVE] = BIT(SESSION_SUBMITTED) | BIT(SESSION_FAILED),
    [SESSION_SUBMITTED] = BIT(SESSION_JUDGED) | BIT(SESSION_FAILED),
    [SESSION_JUDGED] = BIT(SESSION_CLOSED) | BIT(SESSION_FAILED),
    [SESSION_CLOSED] = 0,
    [SESSION_FAILED] = 0,
};

const char *session_state_name(session_state_t state)
{
    return names[state];
}

session_state_t session_state_parse(const char *name)
{
    session_state_t state = SESSION_REQUESTED;
    while (state < SESSION_STATES && strcmp(names[state], name) != 0)
        state++;
    return state;
}

bool session_may_move(session_state_t from, session_state_t to)
{
    return allowed[from] & BIT(to);
}

bool session_is_over(const session_t *self)
{
    return allowed[self->state] == 0;
}

/* ---- telling ------------------------------------------------------------------------------ */

void session_info(session_t *self, bool is_full, session_info_t *info, char *texts_p[2])
{
    bool is_active = self->state == SESSION_ACTIVE && !self->is_ending;
    *info = (session_info_t){
        .session = self->id,
        .state = names[self->state],
        .reason = self->reason,
        .env = self->env,
        .step = self->step_count,
        .steps_left = self->max_steps - self->step_count,
        .time_left_ms = is_active ? session_time_left_ms(self) : 0,
        .phases = json_deep_copy(self->phases),
    };
    if (!is_full)
        return;
    texts_p[0] = texts_description(self->problem);
    texts_p[1] = texts_instructions(self->problem);
    info->description = texts_p[0];
    info->instructions = texts_p[1];
    info->actions = texts_actions(self->problem);
    info->schemas = texts_schemas(self->problem);
}

static void publish_state(session_t *self)
{
    AUTO_FREE char *topic = xasprintf("session/%s/state", self->id);
    session_info_t info;
    session_info(self, false, &info, NULL);
    /* A lost event is told again by session.get. */
    (void)bus_publish_in(self->owner->bus, topic, &session_info_type, &info, self->id, NULL);
    json_decref(info.phases);
}

int session_record(session_t *self, err_t *err)
{
    json_t *json = session_to_json(self);
    int rc = store_put_session(self->owner->store, self->id, json, err);
    json_decref(json);
    return rc;
}

static void book_phase(session_t *self)
{
    int64_t now = ev_now(self->owner->ev);
    json_object_set_new(self->phases, names[self->state], json_integer(now - self->state_since_ms));
    self->state_since_ms = now;
}

void session_move(session_t *self, session_state_t state)
{
    assert(session_may_move(self->state, state));
    err_t err = {0};
    session_forget_timers(self);
    if (state > SESSION_ACTIVE)
        session_forget_call(self, &self->opener_watch);
    book_phase(self);
    self->state = state;
    log_info("session.moved", "session=%s problem=%s state=%s reason=\"%s\"", self->id,
        self->problem->id, names[state], self->reason ? self->reason : "");
    int rc = session_record(self, &err);
    if (rc == 0 && session_is_over(self))
        rc = store_close_session(self->owner->store, self->id, &err);
    publish_state(self);
    if (rc < 0)
        log_error("session.unrecorded", "session=%s reason=\"%s\"", self->id, err.text);
    if (session_is_over(self))
        orchestrator_on_session_over(self->owner, self);
    else if (rc < 0)
        session_fail(self, "the session cannot be recorded: %s", err.text);
}

/* ---- asking ------------------------------------------------------------------------------- */

void session_forget_call(session_t *self, session_call_t *call)
{
    bus_cancel(self->owner->bus, call->id);
    ev_cancel(self->owner->ev, call->timer);
    *call = (session_call_t){0};
}

void session_forget_timers(session_t *self)
{
    ev_t *ev = self->owner->ev;
    session_forget_call(self, &self->call);
    session_forget_call(self, &self->watch);
    session_forget_call(self, &self->late);
    int *timers[] = {
        &self->deadline_timer, &self->idle_timer, &self->limit_timer, &self->watch_timer};
    for (size_t i = 0; i < ARRAY_SIZE(timers); i++) {
        ev_cancel(ev, *timers[i]);
        *timers[i] = 0;
    }
}

void session_ask(session_t *self, const char *target, const codec_type_t *type, const void *message,
    int64_t timeout_ms, bus_reply_fn *on_reply)
{
    bus_cancel(self->owner->bus, self->call.id);
    bus_call_t call = {.target = target,
        .type = type,
        .message = message,
        .timeout_ms = timeout_ms,
        .session = self->id};
    self->call.id = bus_request(self->owner->bus, &call, on_reply, self);
}

bool session_retry_call(
    session_t *self, session_call_t *call, const bus_reply_t *reply, ev_timer_fn *again)
{
    enum { DELAY_MS = 100, DELAY_MAX_MS = 3000 };
    err_code_t code = reply->err->code;
    if (code != ERR_UNAVAILABLE && code != ERR_OVERLOADED && code != ERR_TIMEOUT)
        return false;
    int64_t delay_ms = DELAY_MS << (call->retries < 5 ? call->retries : 5);
    if (reply->retry_after_ms > delay_ms)
        delay_ms = reply->retry_after_ms;
    if (delay_ms > DELAY_MAX_MS)
        delay_ms = DELAY_MAX_MS;
    call->retries++;
    call->id = 0;
    call->timer = ev_after(self->owner->ev, delay_ms, again, self);
    log_info("session.retried", "session=%s state=%s reason=\"%s\"", self->id, names[self->state],
        reply->err->text);
    return true;
}

bool session_retry(session_t *self, const bus_reply_t *reply, ev_timer_fn *again)
{
    return session_retry_call(self, &self->call, reply, again);
}

/* ---- time --------------------------------------------------------------------------------- */

double session_wall_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int64_t session_active_ms(const session_t *self)
{
    int64_t now_ms = self->active_since_ms ? ev_now(self->owner->ev) - self->active_since_ms : 0;
    return self->active_before_ms + now_ms;
}

int64_t session_time_left_ms(const session_t *self)
{
    int64_t left_ms = self->time_limit_ms - session_active_ms(self);
    return left_ms > 0 ? left_ms : 0;
}

/* ---- life cycle --------------------------------------------------------------------------- */

static int64_t or_default(int64_t value, int64_t otherwise)
{
    return value > 0 ? value : otherwise;
}

void session_plan(session_t *self)
{
    self->plan = problem_instance(self->problem, self->seed);
    if (self->is_healthy)
        problem_instance_heal(self->plan);
}

static void tie(session_t *self, const bus_request_t *request)
{
    self->opener_source = xstrdup(bus_request_source(request));
    self->opener_role = xstrdup(bus_role_name(bus_request_role(request)));
    self->opener_principal = xstrdup(bus_request_principal(request));
}

session_t *session_new(orchestrator_t *owner, const problem_t *problem, const session_open_t *open,
    const bus_request_t *request)
{
    session_t *self = xcalloc(1, sizeof(*self));
    AUTO(zuuid_destroy) zuuid_t *uuid = zuuid_new();
    self->owner = owner;
    self->id = xstrdup(zuuid_str_canonical(uuid));
    self->problem = problem;
    self->agent = xstrdup(open->agent);
    self->principal = xstrdup(open->principal ? open->principal : "");
    self->results_dir = open->results_dir && *open->results_dir ? xstrdup(open->results_dir) : NULL;
    self->scoring = open->scoring && *open->scoring ? xstrdup(open->scoring) : NULL;
    self->seed = open->seed;
    self->is_healthy = open->is_healthy;
    session_plan(self);
    self->usual_p99_ms = -1;
    self->symptom_ms = -1;
    self->max_steps = or_default(open->max_steps, SESSION_MAX_STEPS);
    self->time_limit_ms = or_default(open->time_limit_ms, SESSION_TIME_LIMIT_MS);
    self->idle_limit_ms = or_default(open->idle_limit_ms, SESSION_IDLE_LIMIT_MS);
    self->ended_by = "";
    if (open->is_tied)
        tie(self, request);
    self->phases = json_object();
    self->trace = json_array();
    self->start_time = session_wall_clock();
    self->state_since_ms = ev_now(owner->ev);
    return self;
}

static void destroy_step(session_t *self)
{
    step_t *step = TAKE(self->step);
    if (!step)
        return;
    bus_cancel(self->owner->bus, step->call);
    for (size_t i = 0; i < step->waiter_count; i++)
        bus_fail(&step->waiters[i], ERR_UNAVAILABLE, "the orchestrator goes away");
    step_free(step);
}

void session_destroy(session_t **self_p)
{
    session_t *self = TAKE(*self_p);
    if (!self)
        return;
    session_forget_timers(self);
    session_forget_call(self, &self->opener_watch);
    bus_unsubscribe(self->owner->bus, self->state_subscription);
    bus_unsubscribe(self->owner->bus, self->load_subscription);
    bus_unsubscribe(self->owner->bus, self->fault_subscription);
    destroy_step(self);
    for (size_t i = 0; i < self->closer_count; i++)
        bus_fail(&self->closers[i], ERR_UNAVAILABLE, "the orchestrator goes away");
    json_t *trees[] = {self->plan, self->baseline, self->phases, self->env_phases, self->load_seen,
        self->trace, self->solution, self->verdict, self->result};
    for (size_t i = 0; i < ARRAY_SIZE(trees); i++)
        json_decref(trees[i]);
    char *texts[] = {self->id, self->agent, self->scoring, self->principal, self->results_dir,
        self->reason, self->env, self->cluster, self->load, self->result_path, self->opener_source,
        self->opener_role, self->opener_principal};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        free(texts[i]);
    free(self);
}
