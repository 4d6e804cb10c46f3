/* Requests of others: decoded, handed to the handler, answered once. */
#include "bus/bus_internal.h"

#include "base/auto.h"
#include "base/mem.h"

enum { ROUTE_SIZE = 9 };

/* ---- answering ----------------------------------------------------------------------------- */

static void request_free(bus_request_t *request)
{
    free(request->principal);
    envelope_free(&request->envelope);
    free(request);
}

static void send_reply(
    const bus_request_t *request, const codec_type_t *type, const char *body, size_t body_size)
{
    bus_t *bus = request->bus;
    envelope_t envelope = {
        .kind = ENVELOPE_REPLY,
        .id = request->envelope->id,
        .corr = request->envelope->id,
        .type = type->name,
        .source = bus->source,
        .time = zclock_time(),
        .session = request->envelope->session,
        .trace = request->envelope->trace,
        .body = body,
        .body_size = body_size,
    };
    AUTO_FREE char *bytes = NULL;
    size_t size = 0;
    envelope_encode(&envelope, &bytes, &size);
    /* Without a connection the broker has told the caller already that we are gone. */
    (void)connection_send(bus, request->route, ROUTE_SIZE, bytes, size);
}

/* Answers of an earlier connection mean nothing to the broker on this one. */
static void end(bus_request_t **request_p, const codec_type_t *type, const void *message)
{
    bus_request_t *request = TAKE(*request_p);
    bus_t *bus = request->bus;
    AUTO_FREE char *body = NULL;
    size_t body_size = 0;
    err_t err;
    if (bus && request->connection == bus->connection) {
        if (codec_encode(type, message, &body, &body_size, &err) < 0) {
            error_reply_t error = {.code = err_code_name(ERR_IO), .text = err.text};
            type = &error_reply_type;
            codec_encode(type, &error, &body, &body_size, NULL);
        }
        send_reply(request, type, body, body_size);
    }
    if (bus) {
        TAILQ_REMOVE(&bus->pending, request, in_requests);
        bus->pending_count--;
    }
    request_free(request);
    if (bus)
        serve_note_drained(bus);
}

void bus_reply(bus_request_t **request_p, const codec_type_t *type, const void *message)
{
    end(request_p, type, message);
}

static void end_with_error(
    bus_request_t **request_p, err_code_t code, const char *text, int64_t retry_after_ms)
{
    error_reply_t error = {
        .code = err_code_name(code), .text = text, .retry_after_ms = retry_after_ms};
    if ((*request_p)->bus)
        (*request_p)->bus->counts.requests_refused++;
    end(request_p, &error_reply_type, &error);
}

void bus_fail(bus_request_t **request_p, err_code_t code, const char *format, ...)
{
    err_t err;
    va_list args;
    va_start(args, format);
    vsnprintf(err.text, sizeof(err.text), format, args);
    va_end(args);
    end_with_error(request_p, code, err.text, 0);
}

void bus_fail_err(bus_request_t **request_p, const err_t *err)
{
    end_with_error(request_p, err->code, err->text, 0);
}

void bus_refuse(bus_request_t **request_p, int64_t retry_after_ms, const char *why)
{
    end_with_error(request_p, ERR_OVERLOADED, why, retry_after_ms);
}

/* ---- questions ----------------------------------------------------------------------------- */

bus_role_t bus_request_role(const bus_request_t *self)
{
    return self->role;
}

const char *bus_request_principal(const bus_request_t *self)
{
    return self->principal;
}

int64_t bus_request_time_left(const bus_request_t *self)
{
    return self->bus ? self->deadline - ev_now(self->bus->ev) : -1;
}

const char *bus_request_session(const bus_request_t *self)
{
    return self->envelope->session;
}

const char *bus_request_trace(const bus_request_t *self)
{
    return self->envelope->trace;
}

const char *bus_request_source(const bus_request_t *self)
{
    return self->envelope->source;
}

size_t bus_pending(const bus_t *self)
{
    return self->pending_count;
}

/* ---- receiving ----------------------------------------------------------------------------- */

static bus_role_t role_of(char letter)
{
    switch (letter) {
    case 'l':
        return BUS_ROLE_LOCAL;
    case 's':
        return BUS_ROLE_SERVICE;
    case 'o':
        return BUS_ROLE_OPERATOR;
    case 'a':
        return BUS_ROLE_AGENT;
    default:
        return BUS_ROLE_NONE;
    }
}

static bus_request_t *request_new(
    bus_t *self, const char *route, size_t route_size, envelope_t **envelope_p)
{
    bus_request_t *request = xcalloc(1, sizeof(*request));
    const envelope_t *envelope = *envelope_p;
    request->bus = self;
    memcpy(request->route, route, ROUTE_SIZE);
    request->role = role_of((char)(route_size > ROUTE_SIZE ? route[ROUTE_SIZE] : '?'));
    size_t head = ROUTE_SIZE + 1;
    request->principal =
        route_size > head ? xstrndup(route + head, route_size - head) : xstrdup("");
    request->connection = self->connection;
    request->deadline =
        ev_now(self->ev)
        + (envelope->deadline ? envelope->deadline - envelope->time : BUS_TIMEOUT_MS);
    request->envelope = TAKE(*envelope_p);
    TAILQ_INSERT_TAIL(&self->pending, request, in_requests);
    self->pending_count++;
    self->counts.requests_served++;
    return request;
}

static const bus_handler_t *handler_in(const offer_t *offer, const char *type)
{
    for (size_t i = 0; i < offer->handler_count; i++) {
        if (strcmp(offer->handlers[i].type->name, type) == 0)
            return &offer->handlers[i];
    }
    return NULL;
}

static const bus_handler_t *handler_for(bus_t *self, const char *type, void **arg_p)
{
    const bus_handler_t *handler = NULL;
    offer_t *offer;
    TAILQ_FOREACH(offer, &self->offers, in_offers)
    {
        handler = handler_in(offer, type);
        *arg_p = offer->arg;
        if (handler)
            break;
    }
    return handler;
}

void serve_on_request(bus_t *self, const void *route, size_t route_size, envelope_t **envelope_p)
{
    bus_request_t *request = request_new(self, route, route_size, envelope_p);
    void *arg = NULL;
    void *message = NULL;
    err_t err;
    const bus_handler_t *handler = handler_for(self, request->envelope->type, &arg);
    if (!handler) {
        bus_fail(
            &request, ERR_INVALID, "'%s' does not serve '%s'", self->name, request->envelope->type);
        return;
    }
    const codec_type_t *type = handler->type;
    if (codec_decode(type, request->envelope->body, request->envelope->body_size, &message, &err)
        < 0) {
        bus_fail_err(&request, &err);
        return;
    }
    handler->handle(arg, request, message);
    codec_free(type, message);
}

/* ---- offering ------------------------------------------------------------------------------ */

void bus_serve(
    bus_t *self, const char *service, const bus_handler_t *handlers, size_t count, void *arg)
{
    offer_t *offer = xcalloc(1, sizeof(*offer));
    *offer = (offer_t){
        .service = xstrdup(service), .handlers = handlers, .handler_count = count, .arg = arg};
    TAILQ_INSERT_TAIL(&self->offers, offer, in_offers);
    if (self->broker)
        connection_hello(self);
}

void serve_forget_all(bus_t *self)
{
    bus_request_t *request;
    TAILQ_FOREACH(request, &self->pending, in_requests)
    request->bus = NULL; /* whoever holds it still has to end it */
    while (!TAILQ_EMPTY(&self->offers)) {
        offer_t *offer = TAILQ_FIRST(&self->offers);
        TAILQ_REMOVE(&self->offers, offer, in_offers);
        free(offer->service);
        free(offer);
    }
}

/* ---- draining ------------------------------------------------------------------------------ */

static void finish_drain(bus_t *self)
{
    ev_cancel(self->ev, self->drain_timer);
    self->drain_timer = 0;
    void (*on_drained)(void *arg) = TAKE(self->on_drained);
    on_drained(self->drain_arg);
}

static void on_drain_timeout(void *arg)
{
    bus_t *self = arg;
    self->drain_timer = 0;
    finish_drain(self);
}

/* Once the broker has confirmed that we offer nothing any more, no request can be on its way. */
void serve_note_drained(bus_t *self)
{
    bool is_confirmed = !self->broker || (self->is_welcome && !self->hello_ask);
    if (self->is_draining && self->on_drained && is_confirmed && !self->pending_count)
        finish_drain(self);
}

static void on_nothing_to_do(void *arg)
{
    serve_note_drained(arg);
}

void bus_drain(bus_t *self, int64_t timeout_ms, void (*on_drained)(void *arg), void *arg)
{
    self->is_draining = true;
    self->on_drained = on_drained;
    self->drain_arg = arg;
    self->drain_timer = ev_after(self->ev, timeout_ms, on_drain_timeout, self);
    if (self->broker)
        connection_hello(self);
    else
        ev_after(self->ev, 0, on_nothing_to_do, self);
}
