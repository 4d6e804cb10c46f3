/* A session that is tied to the program that opened it ends when that is gone. The broker tells
 * when its last connection ends; whether it comes back is waited for, shortly. */
#include "base/auto.h"
#include "base/log.h"
#include "services/orchestrator/session.h"

enum {
    WATCH_MS = 10 * 60 * 1000,
    ASK_AGAIN_MS = 500,
    LEFT_GRACE_MS = 500,   /* connections that are replaced may end before the new one is known */
    LOST_GRACE_MS = 15000, /* a network may fail for a moment, and a broker be restarted */
};

static void ask(void *arg);

static void ask_after(session_t *self, int64_t delay_ms)
{
    self->opener_watch.timer = ev_after(self->owner->ev, delay_ms, ask, self);
}

/* A local program whose connection has ended does not run any more, nor does one that said bye. */
static int64_t grace_ms(const session_t *self, const char *how)
{
    bool is_local = strcmp(self->opener_role, "local") == 0;
    bool is_final = strcmp(how, "left") == 0 || (is_local && strcmp(how, "closed") == 0);
    return is_final ? LEFT_GRACE_MS : LOST_GRACE_MS;
}

static void on_gone(session_t *self, const char *how)
{
    bool is_absent = strcmp(how, "absent") == 0;
    if (is_absent && self->is_opener_missed) {
        session_fail(self, "the program that opened it, '%s', is gone", self->opener_source);
        return;
    }
    log_info("opener.missed", "session=%s source=%s how=%s", self->id, self->opener_source, how);
    self->is_opener_missed = true;
    ask_after(self, grace_ms(self, how));
}

static void on_reply(void *arg, const bus_reply_t *reply)
{
    session_t *self = arg;
    self->opener_watch.id = 0;
    if (!reply->err && reply->type == &broker_gone_type) {
        on_gone(self, ((const broker_gone_t *)reply->message)->how);
        return;
    }
    self->is_opener_missed = false; /* it is still there, or the broker is another */
    ask_after(self, ASK_AGAIN_MS);
}

static void ask(void *arg)
{
    session_t *self = arg;
    broker_watch_t message = {.source = self->opener_source,
        .role = self->opener_role,
        .principal = self->opener_principal};
    bus_call_t call = {.target = "broker",
        .type = &broker_watch_type,
        .message = &message,
        .timeout_ms = WATCH_MS,
        .session = self->id};
    self->opener_watch.timer = 0;
    self->opener_watch.id = bus_request(self->owner->bus, &call, on_reply, self);
}

void session_watch_opener(session_t *self)
{
    if (self->opener_source && self->state <= SESSION_ACTIVE && !self->is_ending)
        ask(self);
}
