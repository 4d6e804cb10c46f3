/* The agent's turn: one action a step, each recorded before it is done and again before what came
 * of it is told. */
#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "services/orchestrator/action.h"
#include "services/orchestrator/session.h"

static void answer(
    session_t *self, bus_request_t **request_p, int64_t step, const char *text, bool is_done)
{
    session_observation_t reply = {.session = self->id,
        .step = step,
        .observation = text,
        .is_done = is_done,
        .steps_left = self->max_steps - self->step_count,
        .time_left_ms = session_time_left_ms(self)};
    bus_reply(request_p, &session_observation_type, &reply);
}

void step_free(step_t *step)
{
    parser_free(&step->parsed);
    json_decref(step->arguments);
    json_decref(step->files);
    free(step->pending);
    free(step->action);
    free(step);
}

/* ---- ending a step ------------------------------------------------------------------------ */

static void publish_step(session_t *self, const step_t *step, const char *observation)
{
    AUTO_FREE char *topic = xasprintf("session/%s/step", self->id);
    session_step_t message = {.session = self->id,
        .step = step->number,
        .action = step->action,
        .observation = observation,
        .duration_ms = ev_now(self->owner->ev) - step->began_ms};
    /* The trace is in the result; a lost event is no loss. */
    (void)bus_publish_in(self->owner->bus, topic, &session_step_type, &message, self->id, NULL);
}

static void append_trace(session_t *self, const char *role, const char *content)
{
    json_array_append_new(self->trace, json_pack("{s:s, s:s}", "role", role, "content", content));
}

static int record_step(session_t *self, const step_t *step, const char *observation, err_t *err)
{
    /* In this order: a submission is never told to the agent and then forgotten. */
    int rc = session_record(self, err);
    return rc < 0 ? rc
                  : store_end_step(self->owner->store, self->id, step->number, observation, err);
}

/* Valid UTF-8 without NUL, which is all that JSON and the wire can carry. */
static char *cleaned(char *text /* taken */)
{
    json_t *probe = json_string(text);
    if (probe) {
        json_decref(probe);
        return text;
    }
    for (unsigned char *at = (unsigned char *)text; *at; at++) {
        if (*at >= 0x80)
            *at = '?';
    }
    return text;
}

/* Records and tells what came of the step, which is gone afterwards. */
static int conclude(session_t *self, const char *observation, bool is_last, err_t *err)
{
    step_t *step = TAKE(self->step);
    self->acting_ms += ev_now(self->owner->ev) - step->began_ms;
    append_trace(self, "env", observation);
    int rc = record_step(self, step, observation, err);
    for (size_t i = 0; i < step->waiter_count; i++)
        answer(self, &step->waiters[i], step->number, observation, is_last || rc < 0);
    publish_step(self, step, observation);
    step_free(step);
    return rc;
}

void session_abort_step(session_t *self, const char *why)
{
    if (!self->step)
        return;
    bus_cancel(self->owner->bus, self->step->call);
    AUTO_FREE char *observation = xasprintf("Error: %s", why);
    (void)conclude(self, observation, true, NULL); /* the session ends one way or another */
}

void step_finish(step_t *step, char *raw_observation)
{
    session_t *self = step->session;
    err_t err = {0};
    AUTO_FREE char *observation = cleaned(raw_observation);
    if (step->parsed.note) {
        char *noted = xasprintf("%s\n%s", observation, step->parsed.note);
        free(observation);
        observation = noted;
    }
    bool is_last = self->solution || self->step_count >= self->max_steps;
    if (conclude(self, observation, is_last, &err) < 0)
        session_fail(self, "a step cannot be recorded: %s", err.text);
    else
        session_go_on(self);
}

void session_go_on(session_t *self)
{
    if (self->solution)
        session_submit(self, TAKE(self->solution), "submit");
    else if (self->step_count >= self->max_steps)
        session_submit(self, NULL, "max_steps");
    else
        session_await_agent(self);
}

/* ---- beginning a step --------------------------------------------------------------------- */

static void say_unparsed(step_t *step, const char *complaint)
{
    size_t count;
    const action_t *example = action_table(step->session->problem->task, &count)[0];
    step_say(step,
        "Error parsing response: %s\nSend one action between two lines of three backticks, for "
        "example:\n```\n%s\n```",
        complaint, example->example);
}

static void say_unknown(step_t *step, const char *const *names, size_t count)
{
    AUTO_FREE char *all = xstrdup(names[0]);
    for (size_t i = 1; i < count; i++) {
        char *longer = xasprintf("%s, %s", all, names[i]);
        free(all);
        all = longer;
    }
    step_say(step, "Invalid action: %s. The actions are: %s.", step->parsed.name, all);
}

/* Runs the action; or says at once why not. */
static void run(step_t *step)
{
    size_t count;
    AUTO_FREE const char **names = action_names(step->session->problem->task, &count);
    AUTO_FREE char *complaint = NULL;
    if (parser_parse(step->action, names, count, &step->parsed, &complaint) < 0) {
        say_unparsed(step, complaint);
        return;
    }
    const action_t *action = action_find(step->session->problem->task, step->parsed.name);
    if (!action)
        say_unknown(step, names, count);
    else if (action_bind(action, &step->parsed, &step->arguments, &complaint) < 0)
        step_say(step, "Error: %s For example:\n```\n%s\n```", complaint, action->example);
    else
        action->run(step);
}

/* What is kept of an action that is too long to be read. */
static char *shortened(const char *action, size_t size)
{
    enum { KEPT = 1024 };
    char *head = cleaned(xstrndup(action, KEPT));
    char *text = xasprintf("%s\n[%zu bytes in all; the rest is not kept]", head, size);
    free(head);
    return text;
}

static void begin(session_t *self, bus_request_t **request_p, const session_act_t *act)
{
    err_t err = {0};
    size_t size = strlen(act->action);
    bool is_long = size > SESSION_ACTION_SIZE_MAX;
    step_t *step = xcalloc(1, sizeof(*step));
    step->session = self;
    step->number = act->step;
    step->action = is_long ? shortened(act->action, size) : cleaned(xstrdup(act->action));
    step->began_ms = ev_now(self->owner->ev);
    step->waiters[step->waiter_count++] = TAKE(*request_p);
    self->step = step;
    self->step_count = act->step;
    ev_cancel(self->owner->ev, self->idle_timer);
    self->idle_timer = 0;
    metric_add(self->owner->steps, 1);
    append_trace(self, "assistant", step->action);

    if (store_begin_step(self->owner->store, self->id, step->number, step->action, &err) < 0)
        session_fail(self, "a step cannot be recorded: %s", err.text);
    else if (is_long)
        step_say(step,
            "Error: the action is %zu bytes long, %d are the most; nothing was executed.", size,
            SESSION_ACTION_SIZE_MAX);
    else
        run(step);
}

/* ---- requests ----------------------------------------------------------------------------- */

/* A step that is done is answered as it was, so that a lost answer can be asked for again. */
static void repeat(session_t *self, bus_request_t **request_p, int64_t number)
{
    if (self->step && self->step->number == number) {
        if (self->step->waiter_count == STEP_WAITERS_MAX)
            bus_fail(request_p, ERR_LIMIT, "too many ask for step %lld", (long long)number);
        else
            self->step->waiters[self->step->waiter_count++] = TAKE(*request_p);
        return;
    }
    AUTO_FREE char *text = store_observation(self->owner->store, self->id, number);
    bool is_done = number == self->step_count && (self->state != SESSION_ACTIVE || self->is_ending);
    if (text)
        answer(self, request_p, number, text, is_done);
    else
        bus_fail(request_p, ERR_NOT_FOUND, "there is no record of step %lld", (long long)number);
}

void session_act(session_t *self, bus_request_t **request_p, const session_act_t *act)
{
    if (act->step >= 1 && act->step <= self->step_count)
        repeat(self, request_p, act->step);
    else if (self->state < SESSION_ACTIVE && !self->is_ending)
        bus_fail(request_p, ERR_STATE, "the session is '%s'; it is not yet the agent's turn",
            session_state_name(self->state));
    else if (self->state != SESSION_ACTIVE || self->is_ending)
        bus_fail(request_p, ERR_STATE, "the session is over for the agent%s%s",
            self->reason ? ": " : "", self->reason ? self->reason : "");
    else if (act->step != self->step_count + 1)
        bus_fail(request_p, ERR_INVALID, "the next step is %lld, not %lld",
            (long long)self->step_count + 1, (long long)act->step);
    else if (self->step)
        bus_fail(
            request_p, ERR_STATE, "step %lld is not yet answered", (long long)self->step->number);
    else
        begin(self, request_p, act);
}

/* ---- after a restart ---------------------------------------------------------------------- */

typedef struct reading {
    session_t *session;
    int64_t cut_off; /* the step that was under way; 0: none */
} reading_t;

static const char cut_off_text[] =
    "Error: the orchestrator was restarted while this action was executed; it may or may not have "
    "taken effect.";

static void on_step(void *arg, int64_t number, const char *action, const char *observation)
{
    reading_t *reading = arg;
    session_t *self = reading->session;
    append_trace(self, "assistant", action);
    append_trace(self, "env", observation ? observation : cut_off_text);
    self->step_count = number;
    if (!observation)
        reading->cut_off = number;
}

int session_read_steps(session_t *self, err_t *err)
{
    reading_t reading = {.session = self};
    int rc = store_each_step(self->owner->store, self->id, on_step, &reading, err);
    if (rc < 0 || !reading.cut_off)
        return rc;
    self->shell_count++; /* it may have been one */
    return store_end_step(self->owner->store, self->id, reading.cut_off, cut_off_text, err);
}
