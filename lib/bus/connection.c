/* The connection to the broker: made, greeted, kept alive, made again.
 *
 * The broker invites each new connection to say hello (ZMQ_PROBE_ROUTER); the hello registers what
 * we offer, and its answer is the welcome. With ZMQ_IMMEDIATE a lost connection is forgotten with
 * all that was queued on it, so that nothing reaches a broker before the hello. */
#include "bus/bus_internal.h"

#include "base/auto.h"
#include "base/mem.h"

#include <assert.h>

enum {
    HELLO_PATIENCE_MS = 2000,
    RECONNECT_MS = 50,
    RECONNECT_MOST_MS = 1000,
    LINGER_MS = 500,
    QUEUE = 65536,
    DRAIN_COUNT = 64,
};

static void on_input(void *arg, zsock_t *sock);

/* ---- sockets ------------------------------------------------------------------------------- */

static void use_keys(const bus_t *self, void *socket)
{
    zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, self->server_key, KEY_TEXT_SIZE);
    zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, self->pair.public_text, KEY_TEXT_SIZE);
    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, self->pair.secret_text, KEY_TEXT_SIZE);
}

zsock_t *connection_socket(bus_t *self, int type, const char *endpoint)
{
    AUTO(zsock_destroy) zsock_t *sock = zsock_new(type);
    const struct {
        int option;
        int value;
    } options[] = {{ZMQ_SNDHWM, QUEUE}, {ZMQ_RCVHWM, QUEUE}, {ZMQ_LINGER, LINGER_MS},
        {ZMQ_RECONNECT_IVL, RECONNECT_MS}, {ZMQ_RECONNECT_IVL_MAX, RECONNECT_MOST_MS}};
    void *socket = zsock_resolve(sock);
    for (size_t i = 0; i < ARRAY_SIZE(options); i++)
        zmq_setsockopt(socket, options[i].option, &options[i].value, sizeof(options[i].value));
    int one = 1;
    if (type == ZMQ_DEALER)
        zmq_setsockopt(socket, ZMQ_PROBE_ROUTER, &one, sizeof(one));
    if (type == ZMQ_XPUB) {
        zmq_setsockopt(socket, ZMQ_XPUB_NODROP, &one, sizeof(one));
        zmq_setsockopt(socket, ZMQ_XPUB_VERBOSE, &one, sizeof(one));
    }
    if (type != ZMQ_SUB)
        zmq_setsockopt(socket, ZMQ_IMMEDIATE, &one, sizeof(one));
    if (self->is_curve)
        use_keys(self, socket);
    return zmq_connect(socket, endpoint) < 0 ? NULL : TAKE(sock);
}

static int make_socket(bus_t *self)
{
    self->requests = connection_socket(self, ZMQ_DEALER, self->endpoint);
    if (!self->requests)
        return -1;
    self->connection++;
    self->heard_at = ev_now(self->ev);
    ev_reader(self->ev, self->requests, on_input, self);
    return 0;
}

static void drop_socket(bus_t *self)
{
    if (!self->requests)
        return;
    ev_reader_end(self->ev, self->requests);
    zsock_destroy(&self->requests);
}

int connection_send(bus_t *self, const void *head, size_t head_size, const void *bytes, size_t size)
{
    void *socket = zsock_resolve(self->requests);
    if (zmq_send(socket, head, head_size, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
        return -1;
    return zmq_send(socket, bytes, size, ZMQ_DONTWAIT) < 0 ? -1 : 0;
}

/* ---- hello --------------------------------------------------------------------------------- */

/* Where the broker says '*', it is the host that we reached it by. */
static char *resolve(const bus_t *self, const char *endpoint)
{
    const char *port = strrchr(endpoint, ':');
    const char *host_end = strrchr(self->endpoint, ':');
    if (strncmp(endpoint, "tcp://*:", 8) != 0 || strncmp(self->endpoint, "tcp://", 6) != 0)
        return xstrdup(endpoint);
    return xasprintf("%.*s%s", (int)(host_end - self->endpoint), self->endpoint, port);
}

/* Event sockets connect again by themselves, and keep what they have received; unless the broker
 * fell silent, for then they may be dead and not know it. */
static void open_events(bus_t *self, const broker_welcome_t *welcome)
{
    AUTO_FREE char *publish = resolve(self, welcome->publish);
    AUTO_FREE char *events = resolve(self, welcome->events);
    bool is_same = self->publish_endpoint && strcmp(self->publish_endpoint, publish) == 0
                   && strcmp(self->events_endpoint, events) == 0;
    if (is_same && !self->has_started_over)
        return;
    self->has_started_over = false;
    publish_close(self);
    subscribe_close(self);
    free(self->publish_endpoint);
    free(self->events_endpoint);
    self->publish_endpoint = TAKE(publish);
    self->events_endpoint = TAKE(events);
    publish_open(self, self->publish_endpoint);
    subscribe_open(self, self->events_endpoint);
}

static void on_welcome(bus_t *self, const broker_welcome_t *welcome)
{
    bool is_new_broker = !self->broker || strcmp(self->broker, welcome->broker) != 0;
    bool is_reconnected = !self->is_welcome;
    free(self->broker);
    self->broker = xstrdup(welcome->broker);
    self->ping_ms = welcome->ping_ms > 0 ? welcome->ping_ms : self->ping_ms;
    self->silence_ms = welcome->silence_ms > 0 ? welcome->silence_ms : self->silence_ms;
    self->event_limit = (size_t)welcome->event_limit;
    self->is_welcome = true;
    self->refusal = (err_t){0};
    if (is_reconnected) {
        self->counts.connects++;
        open_events(self, welcome);
        grants_tell_all(self);
        ask_on_welcome(self, is_new_broker);
        subscribe_on_welcome(self);
    }
    serve_note_drained(self);
}

static void on_hello_answer(void *arg, const bus_reply_t *reply)
{
    bus_t *self = arg;
    self->hello_ask = 0;
    if (!reply->err && reply->type == &broker_welcome_type)
        on_welcome(self, reply->message);
    else if (reply->err && reply->err->code == ERR_TIMEOUT)
        return; /* the next ping or invitation tries again */
    else
        self->refusal = reply->err ? *reply->err : self->refusal;
}

void connection_hello(bus_t *self)
{
    offer_t *offer;
    size_t count = 0;
    TAILQ_FOREACH(offer, &self->offers, in_offers)
    count++;
    char **names = xcalloc(count + 1, sizeof(*names));
    count = 0;
    TAILQ_FOREACH(offer, &self->offers, in_offers)
    names[count++] = offer->service;
    broker_hello_t hello = {
        .name = self->name,
        .instance = self->instance,
        .services = {.items = names, .count = self->is_draining ? 0 : count},
    };
    bus_cancel(self, self->hello_ask);
    self->hello_ask =
        ask_broker(self, &broker_hello_type, &hello, HELLO_PATIENCE_MS, on_hello_answer, self);
    free(names);
}

/* What came on the connection before is void: the broker has given it to others. */
static void on_invitation(bus_t *self)
{
    self->connection++;
    self->is_welcome = false;
    connection_hello(self);
}

/* ---- life signs ---------------------------------------------------------------------------- */

static void on_pong(void *arg, const bus_reply_t *reply)
{
    bus_t *self = arg;
    if (reply->err && reply->err->code == ERR_NOT_FOUND)
        on_invitation(self);
}

static void start_over(bus_t *self)
{
    self->is_welcome = false;
    self->has_started_over = true;
    bus_cancel(self, self->hello_ask);
    self->hello_ask = 0;
    drop_socket(self);
    int rc = make_socket(self);
    assert(rc == 0); /* it went well with this endpoint before */
    (void)rc;
}

static void on_ping_time(void *arg)
{
    bus_t *self = arg;
    self->ping_timer = ev_after(self->ev, self->ping_ms, on_ping_time, self);
    publish_flush(self);
    if (ev_now(self->ev) - self->heard_at > self->silence_ms)
        start_over(self);
    else if (self->is_welcome)
        ask_broker(self, &broker_ping_type, &(broker_ping_t){}, self->silence_ms, on_pong, self);
    else if (!self->hello_ask)
        connection_hello(self);
}

/* ---- input --------------------------------------------------------------------------------- */

static void on_envelope(bus_t *self, const envelope_t *envelope)
{
    if (envelope->kind == ENVELOPE_REPLY)
        ask_on_reply(self, envelope);
    else if (strcmp(envelope->type, broker_welcome_type.name) == 0)
        on_invitation(self);
}

static void on_message(bus_t *self, zmsg_t *message)
{
    zframe_t *head = zmsg_first(message);
    zframe_t *last = zmsg_last(message);
    AUTO(envelope_free) envelope_t *envelope = NULL;
    self->heard_at = ev_now(self->ev);
    if (envelope_decode(zframe_data(last), zframe_size(last), &envelope, NULL) < 0)
        return;
    if (zmsg_size(message) == 1)
        on_envelope(self, envelope);
    else if (envelope->kind == ENVELOPE_REQUEST && zframe_size(head) >= 9)
        serve_on_request(self, zframe_data(head), zframe_size(head), &envelope);
}

/* A handler may end up with another socket; what the old one held is gone then. */
static void on_input(void *arg, zsock_t *sock)
{
    bus_t *self = arg;
    for (int i = 0; i < DRAIN_COUNT && self->requests == sock; i++) {
        if (!(zsock_events(sock) & ZMQ_POLLIN))
            return;
        AUTO(zmsg_destroy) zmsg_t *message = zmsg_recv(sock);
        if (message)
            on_message(self, message);
    }
}

/* ---- life ---------------------------------------------------------------------------------- */

int connection_open(bus_t *self, err_t *err)
{
    if (make_socket(self) < 0)
        return err_set(err, ERR_INVALID, "malformed endpoint '%s'", self->endpoint);
    self->ping_timer = ev_after(self->ev, self->ping_ms, on_ping_time, self);
    return 0;
}

static void on_bye_answer(void *arg, const bus_reply_t *reply)
{
    (void)arg, (void)reply;
}

void connection_close(bus_t *self)
{
    ev_cancel(self->ev, self->ping_timer);
    if (self->is_welcome)
        ask_broker(self, &broker_bye_type, &(broker_bye_t){}, 1, on_bye_answer, self);
    drop_socket(self);
}
