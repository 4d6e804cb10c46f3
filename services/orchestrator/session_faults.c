/* The problem's faults: those that come first, one after the other, and those that come later, each
 * at its time. */
#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "services/orchestrator/session.h"

enum { INJECT_MS = 120 * 1000 };

static void inject(void *arg);
static void inject_late(void *arg);

char *session_fault_name(const session_t *self, int64_t index)
{
    return xasprintf("fault-%s-%lld", self->id, (long long)index);
}

static const json_t *fault_at(const session_t *self, int64_t index)
{
    return json_array_get(json_object_get(self->plan, "faults"), (size_t)index);
}

static int64_t delay_of(const json_t *fault)
{
    return json_integer_value(json_object_get(fault, "after_ms"));
}

/* ---- asking the injector ------------------------------------------------------------------ */

/* Asks for the next fault, which counts as asked for from now on; what comes of it is told to
 * on_reply. */
static void ask_for(session_t *self, session_call_t *call, int64_t index, bus_reply_fn *on_reply)
{
    const json_t *fault = fault_at(self, index);
    const json_t *targets = json_object_get(fault, "targets");
    AUTO_FREE char *fault_id = session_fault_name(self, index);
    AUTO_FREE char **names = xcalloc(json_array_size(targets) + 1, sizeof(*names));
    for (size_t i = 0; i < json_array_size(targets); i++)
        names[i] = (char *)json_string_value(json_array_get(targets, i));
    fault_inject_t message = {.fault_id = fault_id,
        .fault = json_string_value(json_object_get(fault, "fault")),
        .env = self->env,
        .namespace = self->problem->family->namespace,
        .targets = {.items = names, .count = json_array_size(targets)},
        .params = json_object_get(fault, "parameters"),
        .seed = self->seed};
    bus_call_t request = {.target = "injector",
        .type = &fault_inject_type,
        .message = &message,
        .timeout_ms = INJECT_MS,
        .session = self->id};
    self->fault_count = index + 1;
    call->timer = 0;
    call->id = bus_request(self->owner->bus, &request, on_reply, self);
}

/* Whether the fault is in force. If not, it is asked for again, or the session fails. */
static bool is_injected(
    session_t *self, session_call_t *call, const bus_reply_t *reply, ev_timer_fn *again)
{
    call->id = 0;
    if (reply->err) {
        if (!session_retry_call(self, call, reply, again))
            session_fail(self, "no fault: %s", reply->err->text);
        return false;
    }
    const fault_status_t *status = reply->message;
    if (strcmp(status->state, "active") == 0)
        return true;
    session_fail(self, "no fault: it is '%s'%s%s", status->state, status->reason ? ": " : "",
        status->reason ? status->reason : "");
    return false;
}

/* ---- those that come later ---------------------------------------------------------------- */

static void on_injected_late(void *arg, const bus_reply_t *reply)
{
    session_t *self = arg;
    if (!is_injected(self, &self->late, reply, inject_late))
        return;
    self->late = (session_call_t){0};
    log_info("fault.followed", "session=%s count=%lld", self->id, (long long)self->fault_count);
    session_await_faults(self);
}

/* Again after a failure: the last one asked for. */
static void inject_late(void *arg)
{
    session_t *self = arg;
    int64_t index = self->late.retries ? self->fault_count - 1 : self->fault_count;
    ask_for(self, &self->late, index, on_injected_late);
}

void session_await_faults(session_t *self)
{
    const json_t *next = fault_at(self, self->fault_count);
    if (!next)
        return;
    int64_t left_ms = delay_of(next) - session_active_ms(self);
    self->late.timer = ev_after(self->owner->ev, left_ms > 0 ? left_ms : 0, inject_late, self);
}

/* ---- those that come first ---------------------------------------------------------------- */

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
    if ((is_agents_turn && (is_dead || !self->shell_count)) || self->state <= SESSION_FAULTED) {
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
    if (!is_injected(self, &self->call, reply, inject))
        return;
    self->call = (session_call_t){0};
    const json_t *next = fault_at(self, self->fault_count);
    if (next && delay_of(next) == 0)
        inject(self);
    else
        session_on_faults(self);
}

static void inject(void *arg)
{
    session_t *self = arg;
    int64_t index = self->call.retries ? self->fault_count - 1 : self->fault_count;
    ask_for(self, &self->call, index, on_injected);
}

void session_inject(session_t *self)
{
    if (self->baseline)
        json_object_set_new(
            self->baseline, "load", json_pack("{s:f}", "p99_ms", self->usual_p99_ms));
    if (!fault_at(self, 0)) {
        session_on_faults(self);
        return;
    }
    AUTO_FREE char *topic = xasprintf("fault/fault-%s-", self->id);
    self->fault_subscription = bus_subscribe(self->owner->bus, topic, on_fault_state, self);
    session_set_deadline(self, INJECT_MS);
    inject(self);
}
