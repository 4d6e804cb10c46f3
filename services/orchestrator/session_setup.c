/* From the request to the agent's turn: an environment, load, a good baseline, the faults
 * (session_faults.c), and their symptom. */
#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "services/orchestrator/session.h"

#include <sys/random.h>

enum {
    PROVISION_MS = 300 * 1000,
    BASELINE_MS = 60 * 1000,
    CALL_MS = 20 * 1000,
    WATCH_EVERY_MS = 5000,
    AWAY_MAX_MS = 30 * 1000,
};

static void provision(void *arg);
static void start_load(void *arg);
static void take_baseline(void *arg);
static void watch(void *arg);

static void on_deadline(void *arg)
{
    session_t *self = arg;
    self->deadline_timer = 0;
    session_fail(self, "the state '%s' took longer than it may%s%s",
        session_state_name(self->state), self->call.id ? "" : ": ",
        self->call.id ? "" : "what it waited for was not seen");
}

void session_set_deadline(session_t *self, int64_t delay_ms)
{
    ev_cancel(self->owner->ev, self->deadline_timer);
    self->deadline_timer = ev_after(self->owner->ev, delay_ms, on_deadline, self);
}

/* ---- the environment ---------------------------------------------------------------------- */

static char *new_env_id(void)
{
    uint32_t number = 0;
    if (getrandom(&number, sizeof(number), 0) != sizeof(number))
        abort(); /* it cannot fail once the machine is up */
    return xasprintf("env-%08x", number);
}

static void on_env_state(void *arg, const bus_event_t *event)
{
    session_t *self = arg;
    const env_info_t *info = event->message;
    if (event->type != &env_info_type || !self->env || strcmp(info->env, self->env) != 0)
        return;
    bool is_gone = strcmp(info->state, "gone") == 0 || strcmp(info->state, "failed") == 0;
    if (is_gone && !self->is_ending && self->state >= SESSION_BASELINE)
        session_fail(self, "the environment is gone%s%s", info->reason ? ": " : "",
            info->reason ? info->reason : "");
}

static void subscribe_to_env(session_t *self)
{
    AUTO_FREE char *topic = xasprintf("env/%s/state", self->env);
    bus_unsubscribe(self->owner->bus, self->state_subscription);
    self->state_subscription = bus_subscribe(self->owner->bus, topic, on_env_state, self);
}

static void on_env(void *arg, const bus_reply_t *reply)
{
    session_t *self = arg;
    self->call.id = 0;
    if (reply->err && reply->err->code == ERR_EXISTS) {
        /* It was made, and the answer was lost. */
        session_ask(self, "cluster", &env_get_type, &(env_get_t){self->env}, CALL_MS, on_env);
        return;
    }
    if (reply->err) {
        if (!session_retry(self, reply, provision))
            session_fail(self, "no environment: %s", reply->err->text);
        return;
    }
    const env_info_t *info = reply->message;
    free(self->cluster);
    self->cluster = xasprintf("cluster@%s", info->node);
    self->env_phases = json_incref(info->phases);
    subscribe_to_env(self);
    session_move(self, SESSION_BASELINE);
    if (self->state == SESSION_BASELINE && !self->is_ending) {
        session_set_deadline(self, BASELINE_MS);
        start_load(self);
        if (self->problem->task == TASK_MITIGATION)
            take_baseline(self);
    }
}

/* The id is ours and in the store before anything is made, so that nothing is ever left behind.
 * Asking again for the same id joins what is being made, or makes it after all. */
static void provision(void *arg)
{
    session_t *self = arg;
    env_create_t message = {.env = self->env,
        .app = self->problem->family->application,
        .seed = self->seed,
        .session = self->id};
    self->call.timer = 0;
    session_ask(self, "cluster", &env_create_type, &message, PROVISION_MS, on_env);
}

void session_start(session_t *self)
{
    self->env = new_env_id();
    session_move(self, SESSION_PROVISIONING);
    if (self->is_ending)
        return;
    session_set_deadline(self, PROVISION_MS);
    provision(self);
}

/* ---- load, before and after the fault ----------------------------------------------------- */

/* Whether these seconds show what the problem says that the fault does. */
static bool is_symptom(const session_t *self, const load_report_t *report)
{
    const problem_symptom_t *symptom = self->problem->family->symptom;
    return symptom && report->sent > 0
           && report->errors * 100 >= report->sent * symptom->errors_percent;
}

/* All is well and known: now something may be broken. */
static void consider_injection(session_t *self)
{
    bool is_compared = self->problem->task == TASK_MITIGATION;
    if (self->state == SESSION_BASELINE && self->fault_count == 0 && self->usual_p99_ms >= 0
        && (self->baseline || !is_compared))
        session_inject(self);
}

static void on_load(void *arg, const bus_event_t *event)
{
    session_t *self = arg;
    const load_report_t *report = event->message;
    bool is_ours = event->type == &load_report_type && self->load
                   && strcmp(report->load, self->load) == 0 && !report->is_final;
    if (!is_ours || self->is_ending || event->is_last_value)
        return;
    if (self->state == SESSION_BASELINE && report->ok > 0 && report->errors == 0) {
        self->usual_p99_ms = report->p99_ms;
        consider_injection(self);
        return;
    }
    bool is_shown = self->state >= SESSION_FAULTED && is_symptom(self, report);
    if (is_shown && self->symptom_ms < 0)
        self->symptom_ms = ev_now(self->owner->ev) - self->faulted_at_ms;
    if (is_shown && self->state == SESSION_FAULTED)
        session_activate(self);
}

static void on_baseline(void *arg, const bus_reply_t *reply)
{
    session_t *self = arg;
    self->late.id = 0;
    if (reply->err) {
        if (!session_retry_call(self, &self->late, reply, take_baseline))
            session_fail(self, "no baseline: %s", reply->err->text);
        return;
    }
    self->late = (session_call_t){0};
    self->baseline = json_deep_copy(((const baseline_t *)reply->message)->baseline);
    consider_injection(self);
}

/* What there is before anything is broken, for who judges a mitigation. Asked for while the load
 * begins. */
static void take_baseline(void *arg)
{
    session_t *self = arg;
    baseline_take_t message = {.env = self->env, .problem = self->plan};
    bus_call_t call = {.target = "evaluator",
        .type = &baseline_take_type,
        .message = &message,
        .timeout_ms = CALL_MS,
        .session = self->id};
    self->late.timer = 0;
    self->late.id = bus_request(self->owner->bus, &call, on_baseline, self);
}

static void on_load_started(void *arg, const bus_reply_t *reply)
{
    session_t *self = arg;
    self->call.id = 0;
    if (reply->err) {
        if (!session_retry(self, reply, start_load))
            session_fail(self, "no load: %s", reply->err->text);
        return;
    }
    free(self->load);
    self->load = xstrdup(((const load_started_t *)reply->message)->load);
    self->call = (session_call_t){0};
}

static void start_load(void *arg)
{
    session_t *self = arg;
    const problem_load_t *load = self->problem->family->load;
    AUTO_FREE char *topic = xasprintf("env/%s/load", self->env);
    self->call.timer = 0;
    if (!self->load_subscription)
        self->load_subscription = bus_subscribe(self->owner->bus, topic, on_load, self);
    load_start_t message = {.env = self->env,
        .url = load->url,
        .mix = load->mix,
        .rate = load->rate,
        .distribution = load->distribution,
        .connections = load->connections,
        .seed = self->seed};
    session_ask(self, "loadgen", &load_start_type, &message, CALL_MS, on_load_started);
}

void session_on_faults(session_t *self)
{
    const problem_symptom_t *symptom = self->problem->family->symptom;
    session_move(self, SESSION_FAULTED);
    self->faulted_at_ms = ev_now(self->owner->ev);
    if (self->is_ending)
        return;
    if (symptom && !self->is_healthy)
        session_set_deadline(self, symptom->within_ms);
    else
        session_activate(self);
}

/* ---- the agent's turn --------------------------------------------------------------------- */

static void on_idle(void *arg)
{
    session_t *self = arg;
    self->idle_timer = 0;
    session_submit(self, NULL, "idle_limit");
}

static void on_limit(void *arg)
{
    session_t *self = arg;
    self->limit_timer = 0;
    session_submit(self, NULL, "time_limit");
}

static void on_watched(void *arg, const bus_reply_t *reply)
{
    session_t *self = arg;
    ev_t *ev = self->owner->ev;
    self->watch.id = 0;
    if (!reply->err) {
        const char *state = ((const env_info_t *)reply->message)->state;
        self->away_since_ms = 0;
        if (strcmp(state, "ready") != 0) {
            session_fail(self, "the environment is '%s'", state);
            return;
        }
    } else if (reply->err->code == ERR_NOT_FOUND) {
        session_fail(self, "the environment is gone");
        return;
    } else if (!self->away_since_ms) {
        self->away_since_ms = ev_now(ev);
    } else if (ev_now(ev) - self->away_since_ms > AWAY_MAX_MS) {
        session_fail(self, "the cluster service has been away for %d s: %s", AWAY_MAX_MS / 1000,
            reply->err->text);
        return;
    }
    self->watch_timer = ev_after(ev, WATCH_EVERY_MS, watch, self);
}

/* Whether the environment lives: a killed cluster service cannot tell. */
static void watch(void *arg)
{
    session_t *self = arg;
    env_get_t message = {.env = self->env};
    bus_call_t call = {.target = self->cluster,
        .type = &env_get_type,
        .message = &message,
        .timeout_ms = WATCH_EVERY_MS,
        .session = self->id};
    self->watch_timer = 0;
    self->watch.id = bus_request(self->owner->bus, &call, on_watched, self);
}

void session_await_agent(session_t *self)
{
    ev_cancel(self->owner->ev, self->idle_timer);
    self->idle_timer = ev_after(self->owner->ev, self->idle_limit_ms, on_idle, self);
}

/* The timers that run while the agent has its turn. */
static void start_clocks(session_t *self)
{
    ev_t *ev = self->owner->ev;
    self->active_since_ms = ev_now(ev);
    self->limit_timer = ev_after(ev, session_time_left_ms(self), on_limit, self);
    self->watch_timer = ev_after(ev, WATCH_EVERY_MS, watch, self);
    session_await_faults(self);
}

void session_activate(session_t *self)
{
    self->start_time = session_wall_clock();
    session_move(self, SESSION_ACTIVE);
    if (self->is_ending)
        return;
    start_clocks(self);
    session_await_agent(self);
}

void session_resume(session_t *self)
{
    if (self->env)
        subscribe_to_env(self);
    if (self->is_ending || self->state > SESSION_SUBMITTED) {
        session_clean_up(self);
    } else if (self->state < SESSION_ACTIVE) {
        session_fail(self, "the orchestrator was restarted while the session was '%s'",
            session_state_name(self->state));
    } else if (self->state == SESSION_ACTIVE) {
        start_clocks(self);
        session_go_on(self);
    } else {
        session_judge(self);
    }
}
