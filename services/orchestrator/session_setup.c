/* From the request to the agent's turn: an environment, load, a good baseline, the fault, and its
 * symptom. */
#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "services/orchestrator/session.h"

#include <sys/random.h>

enum {
    PROVISION_MS = 300 * 1000,
    BASELINE_MS = 60 * 1000,
    INJECT_MS = 120 * 1000,
    CALL_MS = 20 * 1000,
    WATCH_EVERY_MS = 5000,
    AWAY_MAX_MS = 30 * 1000,
};

static void provision(void *arg);
static void start_load(void *arg);
static void inject(void *arg);
static void watch(void *arg);

static void on_deadline(void *arg)
{
    session_t *self = arg;
    self->deadline_timer = 0;
    session_fail(self, "the state '%s' took longer than it may%s%s",
        session_state_name(self->state), self->call.id ? "" : ": ",
        self->call.id ? "" : "what it waited for was not seen");
}

static void set_deadline(session_t *self, int64_t delay_ms)
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
        set_deadline(self, BASELINE_MS);
        start_load(self);
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
    set_deadline(self, PROVISION_MS);
    provision(self);
}

/* ---- load, before and after the fault ----------------------------------------------------- */

/* Whether these seconds show what the problem says that the fault does. */
static bool is_symptom(const session_t *self, const load_report_t *report)
{
    const problem_symptom_t *symptom = self->problem->family->symptom;
    return report->sent > 0 && report->errors * 100 >= report->sent * symptom->errors_percent;
}

static void on_load(void *arg, const bus_event_t *event)
{
    session_t *self = arg;
    const load_report_t *report = event->message;
    bool is_ours = event->type == &load_report_type && self->load
                   && strcmp(report->load, self->load) == 0 && !report->is_final;
    if (!is_ours || self->is_ending || event->is_last_value)
        return;
    if (self->state == SESSION_BASELINE && !self->fault_id && report->ok > 0 && report->errors == 0)
        inject(self);
    else if (self->state == SESSION_FAULTED && is_symptom(self, report))
        session_activate(self);
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

/* ---- the fault ---------------------------------------------------------------------------- */

static void on_fault_state(void *arg, const bus_event_t *event)
{
    session_t *self = arg;
    const fault_status_t *status = event->message;
    bool is_ours = event->type == &fault_status_type && !self->is_ending;
    bool is_dead = is_ours && strcmp(status->state, "dead") == 0;
    bool is_repaired = is_ours && strcmp(status->state, "repaired") == 0;
    if (!(is_dead || is_repaired) || self->is_fault_undone)
        return;
    bool is_agents_turn = self->state == SESSION_ACTIVE;
    if ((is_agents_turn && (is_dead || !self->shell_count)) || self->state == SESSION_FAULTED) {
        session_fail(self, is_dead ? "void: the fault ended by itself: %s" : "void: %s",
            status->reason ? status->reason : status->state);
    } else if (is_agents_turn) {
        self->is_fault_undone = true; /* the agent had a hand in it, which is its right */
        log_info("fault.ended", "session=%s fault=%s", self->id, status->fault_id);
    }
}

static void on_injected(void *arg, const bus_reply_t *reply)
{
    session_t *self = arg;
    self->call.id = 0;
    if (reply->err) {
        if (!session_retry(self, reply, inject))
            session_fail(self, "no fault: %s", reply->err->text);
        return;
    }
    const fault_status_t *status = reply->message;
    if (strcmp(status->state, "active") != 0) {
        session_fail(self, "no fault: it is '%s'%s%s", status->state, status->reason ? ": " : "",
            status->reason ? status->reason : "");
        return;
    }
    const problem_symptom_t *symptom = self->problem->family->symptom;
    session_move(self, SESSION_FAULTED);
    if (self->is_ending)
        return;
    if (symptom)
        set_deadline(self, symptom->within_ms);
    else
        session_activate(self);
}

static json_t *parameters_of(const problem_fault_t *fault)
{
    json_t *parameters = json_object();
    for (uint32_t i = 0; i < fault->parameter_count; i++)
        json_object_set_new(
            parameters, fault->parameters[i].name, json_string(fault->parameters[i].value));
    return parameters;
}

static void inject(void *arg)
{
    session_t *self = arg;
    const problem_family_t *family = self->problem->family;
    const problem_fault_t *fault = &family->faults[0];
    self->call.timer = 0;
    if (!self->fault_id) {
        self->fault_id = xasprintf("fault-%s", self->id);
        AUTO_FREE char *topic = xasprintf("fault/%s/state", self->fault_id);
        self->fault_subscription = bus_subscribe(self->owner->bus, topic, on_fault_state, self);
        set_deadline(self, INJECT_MS);
    }
    json_t *parameters = parameters_of(fault);
    fault_inject_t message = {.fault_id = self->fault_id,
        .fault = fault->fault,
        .env = self->env,
        .namespace = family->namespace,
        .targets = {.items = fault->targets, .count = fault->target_count},
        .params = parameters,
        .seed = self->seed};
    session_ask(self, "injector", &fault_inject_type, &message, INJECT_MS, on_injected);
    json_decref(parameters);
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
