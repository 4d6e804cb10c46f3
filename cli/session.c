#include "cli/session.h"

#include "base/auto.h"
#include "base/mem.h"
#include "cli/ask.h"

#include <string.h>

enum {
    CALL_MS = 10000,
    OPEN_MS = 20000,
    CLOSE_MS = 90000,
    PATIENCE_MS = 60000,  /* with an orchestrator that is not there */
    LOOK_EVERY_MS = 1000, /* an event may be lost */
};

struct session {
    lab_t *lab; /* borrowed */
    char *id;
    session_state_t state;
    char *reason;
    char *env;
    int subscription;
    int look; /* the request of a look; 0: none */
    int timer;
    int64_t heard_at; /* when the orchestrator last said something */
    bool is_awaited;  /* somebody waits for a change, and for nothing else */
    err_t silence;    /* why there is no hope of more; code 0: there is */
    session_watch_fn *on_change;
    void *arg;
};

static const char *const names[] = {
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

const char *session_state_name(session_state_t state)
{
    return names[state];
}

const char *session_id(const session_t *self)
{
    return self->id;
}

session_state_t session_state(const session_t *self)
{
    return self->state;
}

const char *session_reason(const session_t *self)
{
    return self->reason;
}

const char *session_env(const session_t *self)
{
    return self->env;
}

/* ---- its state ----------------------------------------------------------------------------- */

static session_state_t state_of(const char *name)
{
    for (size_t i = 0; i < SESSION_STATES; i++) {
        if (strcmp(names[i], name) == 0)
            return (session_state_t)i;
    }
    return SESSION_STATES;
}

static void replace(char **text_p, const char *text)
{
    char *copy = text ? xstrdup(text) : NULL;
    free(*text_p);
    *text_p = copy;
}

/* States only go forward; a late message does not turn them back. */
static void take_info(session_t *self, const session_info_t *info)
{
    session_state_t state = state_of(info->state);
    self->heard_at = ev_now(lab_ev(self->lab));
    if (strcmp(info->session, self->id) != 0 || state == SESSION_STATES || state < self->state)
        return;
    bool is_new = state != self->state;
    replace(&self->reason, info->reason);
    replace(&self->env, info->env ? info->env : self->env);
    self->state = state;
    if (!is_new)
        return;
    if (self->on_change)
        self->on_change(self->arg, self);
    if (self->is_awaited)
        ev_stop(lab_ev(self->lab));
}

static void on_event(void *arg, const bus_event_t *event)
{
    if (event->type == &session_info_type)
        take_info(arg, event->message);
}

/* Whoever waits does not wait for ever. */
static void note_silence(session_t *self, const err_t *cause)
{
    int64_t silence_ms = ev_now(lab_ev(self->lab)) - self->heard_at;
    bool may_come_back = cause->code != ERR_NOT_FOUND && silence_ms < PATIENCE_MS;
    if (may_come_back)
        return;
    err_set(
        &self->silence, cause->code, "nothing is known of the session any more: %s", cause->text);
    if (self->is_awaited)
        ev_stop(lab_ev(self->lab));
}

static void on_timer(void *arg);

static void on_looked(void *arg, const bus_reply_t *reply)
{
    session_t *self = arg;
    self->look = 0;
    self->timer = ev_after(lab_ev(self->lab), LOOK_EVERY_MS, on_timer, self);
    if (!reply->err && reply->type == &session_info_type)
        take_info(self, reply->message);
    else if (reply->err)
        note_silence(self, reply->err);
}

static void on_timer(void *arg)
{
    session_t *self = arg;
    session_get_t message = {.session = self->id};
    bus_call_t call = {.target = "orchestrator",
        .type = &session_get_type,
        .message = &message,
        .timeout_ms = CALL_MS};
    self->timer = 0;
    self->look = bus_request(lab_bus(self->lab), &call, on_looked, self);
}

/* ---- asking -------------------------------------------------------------------------------- */

int session_await(session_t *self, session_state_t state, err_t *err)
{
    int rc = 0;
    self->is_awaited = true;
    while (rc == 0 && self->state < state && !self->silence.code)
        rc = lab_run(self->lab, err);
    self->is_awaited = false;
    if (rc == 0 && self->state < state)
        return err_set(err, self->silence.code, "%s", self->silence.text);
    return rc;
}

int session_answer(
    session_t *self, int64_t solution, session_expectation_t **expectation_p, err_t *err)
{
    session_answer_t message = {.session = self->id, .solution = solution};
    bus_call_t call = {.type = &session_answer_type, .message = &message, .timeout_ms = CALL_MS};
    return ask_orchestrator(self->lab, lab_bus(self->lab), call, &session_expectation_type,
        (void **)expectation_p, err);
}

int session_result(session_t *self, session_outcome_t **outcome_p, err_t *err)
{
    session_result_t message = {.session = self->id};
    bus_call_t call = {.type = &session_result_type, .message = &message, .timeout_ms = CALL_MS};
    return ask_orchestrator(
        self->lab, lab_bus(self->lab), call, &session_outcome_type, (void **)outcome_p, err);
}

int session_close(session_t *self, err_t *err)
{
    session_close_t message = {.session = self->id};
    bus_call_t call = {.target = "orchestrator",
        .type = &session_close_type,
        .message = &message,
        .timeout_ms = CLOSE_MS};
    void *reply = NULL;
    int rc = lab_call(self->lab, &call, &session_info_type, &reply, err);
    if (rc < 0)
        return rc;
    take_info(self, reply);
    codec_free(&session_info_type, reply);
    return 0;
}

/* ---- life cycle ---------------------------------------------------------------------------- */

session_t *session_new(
    lab_t *lab, const session_open_t *open, session_watch_fn *on_change, void *arg, err_t *err)
{
    void *reply = NULL;
    bus_call_t call = {.type = &session_open_type, .message = open, .timeout_ms = OPEN_MS};
    if (ask_orchestrator(lab, lab_bus(lab), call, &session_opened_type, &reply, err) < 0)
        return NULL;
    session_t *self = zmalloc(sizeof(*self));
    self->lab = lab;
    self->id = xstrdup(((session_opened_t *)reply)->session);
    self->env = xstrdup("");
    self->heard_at = ev_now(lab_ev(lab));
    self->on_change = on_change;
    self->arg = arg;
    codec_free(&session_opened_type, reply);
    AUTO_FREE char *topic = xasprintf("session/%s/state", self->id);
    self->subscription = bus_subscribe(lab_bus(lab), topic, on_event, self);
    self->timer = ev_after(lab_ev(lab), LOOK_EVERY_MS, on_timer, self);
    return self;
}

void session_destroy(session_t **self_p)
{
    session_t *self = TAKE(*self_p);
    if (!self)
        return;
    bus_unsubscribe(lab_bus(self->lab), self->subscription);
    bus_cancel(lab_bus(self->lab), self->look);
    ev_cancel(lab_ev(self->lab), self->timer);
    free(self->id);
    free(self->reason);
    free(self->env);
    free(self);
}
