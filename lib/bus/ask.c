/* Our own requests: each ends once, with a reply, an error, or its timer. */
#include "bus/bus_internal.h"

#include "base/auto.h"
#include "base/mem.h"

/* The broker is the better judge of a deadline, so it is given the time to say so. */
enum { SLACK_MS = 250 };

static void ask_free(bus_t *self, ask_t *ask)
{
    TAILQ_REMOVE(&self->asks, ask, in_asks);
    ev_cancel(self->ev, ask->timer);
    free(ask->target);
    free(ask->session);
    free(ask->trace);
    free(ask->body);
    free(ask);
}

/* The callback may ask again, or cancel others, so the ask is gone before. */
static void finish(bus_t *self, ask_t *ask, const bus_reply_t *reply)
{
    bus_reply_fn *on_reply = ask->on_reply;
    void *arg = ask->arg;
    ask_free(self, ask);
    on_reply(arg, reply);
}

static void fail(bus_t *self, ask_t *ask, err_code_t code, const char *text)
{
    err_t err;
    err_set(&err, code, "%s", text);
    finish(self, ask, &(bus_reply_t){.err = &err});
}

static void send_ask(bus_t *self, ask_t *ask)
{
    int64_t now = zclock_time();
    int64_t left = ask->deadline - ev_now(self->ev);
    envelope_t envelope = {
        .kind = ENVELOPE_REQUEST,
        .id = ask->wire_id,
        .type = ask->type->name,
        .source = self->source,
        .time = now,
        .deadline = now + (left > 1 ? left : 1),
        .session = ask->session,
        .trace = ask->trace,
        .body = ask->body,
        .body_size = ask->body_size,
    };
    AUTO_FREE char *bytes = NULL;
    size_t size = 0;
    envelope_encode(&envelope, &bytes, &size);
    bool is_again = ask->is_sent;
    if (connection_send(self, ask->target, strlen(ask->target), bytes, size) < 0)
        return; /* sent at the next welcome */
    ask->is_sent = true;
    if (!ask->is_own) {
        self->counts.requests_sent += is_again ? 0 : 1;
        self->counts.requests_resent += is_again ? 1 : 0;
    }
}

static void on_timeout(void *arg)
{
    ask_t *ask = arg;
    bus_t *self = ask->bus;
    ask->timer = 0;
    self->counts.timeouts += ask->is_own ? 0 : 1;
    err_t err;
    if (ask->is_sent)
        err_set(&err, ERR_TIMEOUT, "'%s' did not answer in time", ask->target);
    else if (self->refusal.code)
        err = self->refusal;
    else
        err_set(&err, ERR_TIMEOUT, "no broker at '%s'", self->endpoint);
    finish(self, ask, &(bus_reply_t){.err = &err});
}

/* Fails a request that cannot even be encoded, but not from within the call. */
static void on_stillborn(void *arg)
{
    ask_t *ask = arg;
    ask->timer = 0;
    fail(ask->bus, ask, ERR_INVALID, "a field of the request is missing");
}

static ask_t *ask_new(bus_t *self, const bus_call_t *call, bus_reply_fn *on_reply, void *arg)
{
    ask_t *ask = xcalloc(1, sizeof(*ask));
    int64_t timeout_ms = call->timeout_ms ? call->timeout_ms : BUS_TIMEOUT_MS;
    ask->bus = self;
    ask->id = ++self->last_id;
    snprintf(ask->wire_id, sizeof(ask->wire_id), "%016llx-%x", (unsigned long long)self->wire_seed,
        (unsigned)ask->id);
    ask->type = call->type;
    ask->target = xstrdup(call->target);
    ask->session = call->session ? xstrdup(call->session) : NULL;
    ask->trace = call->trace ? xstrdup(call->trace) : NULL;
    ask->deadline = ev_now(self->ev) + timeout_ms;
    ask->on_reply = on_reply;
    ask->arg = arg;
    TAILQ_INSERT_TAIL(&self->asks, ask, in_asks);
    if (codec_encode(call->type, call->message, &ask->body, &ask->body_size, NULL) < 0)
        ask->timer = ev_after(self->ev, 0, on_stillborn, ask);
    else
        ask->timer = ev_after(self->ev, timeout_ms + SLACK_MS, on_timeout, ask);
    return ask;
}

int bus_request(bus_t *self, const bus_call_t *call, bus_reply_fn *on_reply, void *arg)
{
    ask_t *ask = ask_new(self, call, on_reply, arg);
    if (self->is_welcome && ask->body)
        send_ask(self, ask);
    return ask->id;
}

int ask_broker(bus_t *self, const codec_type_t *type, const void *message, int64_t timeout_ms,
    bus_reply_fn *on_reply, void *arg)
{
    bus_call_t call = {
        .target = "broker", .type = type, .message = message, .timeout_ms = timeout_ms};
    ask_t *ask = ask_new(self, &call, on_reply, arg);
    ask->is_own = true;
    send_ask(self, ask);
    return ask->id;
}

static ask_t *ask_find(bus_t *self, int id)
{
    ask_t *ask;
    TAILQ_FOREACH(ask, &self->asks, in_asks)
    {
        if (ask->id == id)
            return ask;
    }
    return NULL;
}

void bus_cancel(bus_t *self, int id)
{
    ask_t *ask = ask_find(self, id);
    if (ask)
        ask_free(self, ask);
}

/* ---- replies ------------------------------------------------------------------------------- */

static ask_t *ask_of_reply(bus_t *self, const envelope_t *envelope)
{
    ask_t *ask;
    TAILQ_FOREACH(ask, &self->asks, in_asks)
    {
        if (envelope->corr && strcmp(ask->wire_id, envelope->corr) == 0)
            return ask;
    }
    return NULL;
}

static void finish_with_error(bus_t *self, ask_t *ask, const error_reply_t *error)
{
    err_t err;
    err_set(&err, err_code_parse(error->code), "%s", error->text);
    finish(self, ask, &(bus_reply_t){.err = &err, .retry_after_ms = error->retry_after_ms});
}

void ask_on_reply(bus_t *self, const envelope_t *envelope)
{
    ask_t *ask = ask_of_reply(self, envelope);
    if (!ask)
        return; /* cancelled, or its timer was faster */
    const codec_type_t *type = codec_find(envelope->type, strlen(envelope->type));
    void *message = NULL;
    err_t err;
    self->counts.replies += ask->is_own ? 0 : 1;
    if (!type) {
        fail(self, ask, ERR_INVALID, "the answer is of a type unknown here");
    } else if (codec_decode(type, envelope->body, envelope->body_size, &message, &err) < 0) {
        err_wrap(&err, "the answer does not decode");
        finish(self, ask, &(bus_reply_t){.err = &err});
    } else if (type == &error_reply_type) {
        finish_with_error(self, ask, message);
    } else {
        void **message_p = ask->message_p;
        finish(self, ask, &(bus_reply_t){.type = type, .message = message});
        if (message_p)
            *message_p = TAKE(message);
    }
    if (message)
        codec_free(type, message);
}

static ask_t *ask_given_up(bus_t *self)
{
    ask_t *ask;
    TAILQ_FOREACH(ask, &self->asks, in_asks)
    {
        if (ask->is_given_up)
            return ask;
    }
    return NULL;
}

/* A new broker knows nothing of what the old one was doing; only what may be done twice is. */
void ask_on_welcome(bus_t *self, bool is_new_broker)
{
    int newest = self->last_id;
    for (ask_t *ask = TAILQ_FIRST(&self->asks), *next = NULL; ask && ask->id <= newest;
         ask = next) {
        next = TAILQ_NEXT(ask, in_asks);
        if (ask->is_own || !ask->body)
            continue;
        if (ask->is_sent && is_new_broker && !ask->type->is_idempotent)
            ask->is_given_up = true;
        else
            send_ask(self, ask);
    }
    for (ask_t *ask; (ask = ask_given_up(self));)
        fail(self, ask, ERR_UNAVAILABLE,
            "the broker was restarted meanwhile; whether it was done is not known");
}

void ask_forget_all(bus_t *self)
{
    while (!TAILQ_EMPTY(&self->asks))
        ask_free(self, TAILQ_FIRST(&self->asks));
}

/* ---- synchronous --------------------------------------------------------------------------- */

typedef struct wait {
    ev_t *ev;
    const codec_type_t *expected;
    const codec_type_t *type; /* that came */
    err_t *err;
    int rc;
    bool is_done;
} wait_t;

static int judge_reply(const wait_t *wait, const bus_reply_t *reply)
{
    if (reply->err)
        return err_set(wait->err, reply->err->code, "%s", reply->err->text);
    if (reply->type != wait->expected)
        return err_set(wait->err, ERR_INVALID, "the answer is '%s', expected '%s'",
            reply->type->name, wait->expected->name);
    return 0;
}

static void on_waited(void *arg, const bus_reply_t *reply)
{
    wait_t *wait = arg;
    wait->rc = judge_reply(wait, reply);
    wait->type = reply->type;
    wait->is_done = true;
    ev_stop(wait->ev);
}

int bus_call(
    bus_t *self, const bus_call_t *call, const codec_type_t *expected, void **reply_p, err_t *err)
{
    wait_t wait = {.ev = self->ev, .expected = expected, .err = err};
    void *message = NULL;
    int id = bus_request(self, call, on_waited, &wait);
    ask_find(self, id)->message_p = &message;
    ev_run(self->ev);
    if (wait.is_done && wait.rc == 0 && reply_p)
        *reply_p = TAKE(message);
    if (message)
        codec_free(wait.type, message);
    if (wait.is_done)
        return wait.rc;
    bus_cancel(self, id);
    return err_set(err, ERR_STATE, "interrupted");
}
