/* Events from the broker: delivered to whoever subscribed, and counted. */
#include "bus/bus_internal.h"

#include "base/auto.h"
#include "base/mem.h"
#include "bus/topic.h"

#include <endian.h>

enum {
    NUMBER_SIZE = 8,
    NUMBER_BITS = 48,
    TOPICS_LIMIT = 65536, /* whose numbers a subscription remembers */
    LAST_PATIENCE_MS = 5000,
    DRAIN_COUNT = 256,
};

/* ---- delivering ---------------------------------------------------------------------------- */

typedef struct parsed_event {
    bus_event_t event;
    uint64_t run_number; /* run and number together */
    envelope_t *envelope;
    void *message;
} parsed_event_t;

static bool parse_frame(bus_t *self, const char *frame, size_t size, parsed_event_t *parsed)
{
    const char *end = memchr(frame, '\0', size);
    size_t head = end ? (size_t)(end - frame) + 1 + NUMBER_SIZE : size;
    *parsed = (parsed_event_t){0};
    if (head >= size)
        return false;
    memcpy(&parsed->run_number, end + 1, NUMBER_SIZE);
    parsed->run_number = be64toh(parsed->run_number);
    if (envelope_decode(frame + head, size - head, &parsed->envelope, NULL) < 0)
        return false;
    const envelope_t *envelope = parsed->envelope;
    const codec_type_t *type = codec_find(envelope->type, strlen(envelope->type));
    if (!type
        || codec_decode(type, envelope->body, envelope->body_size, &parsed->message, NULL) < 0) {
        self->counts.events_undecodable++;
        envelope_free(&parsed->envelope);
        return false;
    }
    parsed->event = (bus_event_t){.topic = frame,
        .type = type,
        .message = parsed->message,
        .source = envelope->source,
        .session = envelope->session,
        .trace = envelope->trace,
        .time_ms = envelope->time,
        .number = parsed->run_number & ((1ULL << NUMBER_BITS) - 1)};
    return true;
}

static void parsed_done(parsed_event_t *parsed)
{
    codec_free(parsed->event.type, parsed->message);
    envelope_free(&parsed->envelope);
}

/* Notes the number; false if this event was seen already. */
static bool is_news(subscription_t *subscription, const parsed_event_t *parsed, uint64_t *lost_p)
{
    uint64_t *seen = zhashx_lookup(subscription->numbers, parsed->event.topic);
    if (!seen) {
        if (zhashx_size(subscription->numbers) >= TOPICS_LIMIT)
            zhashx_purge(subscription->numbers);
        zhashx_insert(subscription->numbers, parsed->event.topic, (void *)&parsed->run_number);
        return true;
    }
    bool is_same_run = *seen >> NUMBER_BITS == parsed->run_number >> NUMBER_BITS;
    if (is_same_run && parsed->run_number <= *seen)
        return false;
    *lost_p = is_same_run ? parsed->run_number - *seen - 1 : 0;
    *seen = parsed->run_number;
    return true;
}

static void deliver(bus_t *self, subscription_t *subscription, const parsed_event_t *parsed)
{
    uint64_t lost = 0;
    size_t prefix_size = strlen(subscription->prefix);
    if (subscription->is_ended
        || strncmp(subscription->prefix, parsed->event.topic, prefix_size) != 0
        || !is_news(subscription, parsed, &lost))
        return;
    bus_event_t event = parsed->event;
    event.lost = lost;
    self->counts.events_lost += lost;
    self->counts.events_received++;
    subscription->on_event(subscription->arg, &event);
}

static void subscription_free(bus_t *self, subscription_t *subscription)
{
    TAILQ_REMOVE(&self->subscriptions, subscription, in_subscriptions);
    zhashx_destroy(&subscription->numbers);
    free(subscription->prefix);
    free(subscription);
}

static void free_ended(bus_t *self)
{
    subscription_t *next = NULL;
    for (subscription_t *s = TAILQ_FIRST(&self->subscriptions); s && !self->delivering; s = next) {
        next = TAILQ_NEXT(s, in_subscriptions);
        if (s->is_ended)
            subscription_free(self, s);
    }
}

/* ---- subscribing --------------------------------------------------------------------------- */

static void deliver_last(bus_t *self, subscription_t *subscription, const char *frame, size_t size)
{
    parsed_event_t parsed;
    if (!parse_frame(self, frame, size, &parsed))
        return;
    parsed.event.is_last_value = true;
    deliver(self, subscription, &parsed);
    parsed_done(&parsed);
}

static void on_last_values(void *arg, const bus_reply_t *reply)
{
    subscription_t *subscription = arg;
    bus_t *self = subscription->bus;
    subscription->ask_id = 0;
    if (reply->err || reply->type != &broker_values_type)
        return; /* not allowed, or no broker: then the next welcome tries again */
    const broker_values_t *values = reply->message;
    const char *at = values->events.bytes;
    size_t left = values->events.size;
    self->delivering++;
    for (uint32_t size; left > sizeof(size); at += size, left -= size) {
        memcpy(&size, at, sizeof(size));
        size = be32toh(size);
        at += sizeof(size);
        left -= sizeof(size);
        if (size > left)
            break;
        deliver_last(self, subscription, at, size);
    }
    self->delivering--;
    free_ended(self);
}

/* Our subscription holds now: nothing falls between the last values and the events to come. */
static void on_synchronized(bus_t *self, subscription_t *subscription)
{
    zmq_setsockopt(zsock_resolve(self->events), ZMQ_UNSUBSCRIBE, subscription->sync_topic,
        strlen(subscription->sync_topic));
    subscription->sync_topic[0] = '\0';
    broker_last_t last = {.prefix = subscription->prefix};
    subscription->ask_id =
        ask_broker(self, &broker_last_type, &last, LAST_PATIENCE_MS, on_last_values, subscription);
}

static void synchronize(bus_t *self, subscription_t *subscription)
{
    void *socket = zsock_resolve(self->events);
    bus_cancel(self, subscription->ask_id);
    subscription->ask_id = 0;
    if (*subscription->sync_topic)
        zmq_setsockopt(
            socket, ZMQ_UNSUBSCRIBE, subscription->sync_topic, strlen(subscription->sync_topic));
    snprintf(subscription->sync_topic, sizeof(subscription->sync_topic), TOPIC_SYNC "%016llx-%x",
        (unsigned long long)self->wire_seed, (unsigned)++self->last_id);
    zmq_setsockopt(
        socket, ZMQ_SUBSCRIBE, subscription->sync_topic, strlen(subscription->sync_topic));
}

static bool is_sync(bus_t *self, const char *frame)
{
    if (strncmp(frame, TOPIC_SYNC, strlen(TOPIC_SYNC)) != 0)
        return false;
    subscription_t *subscription;
    TAILQ_FOREACH(subscription, &self->subscriptions, in_subscriptions)
    {
        if (strcmp(subscription->sync_topic, frame) == 0)
            on_synchronized(self, subscription);
    }
    return true;
}

static void on_frame(bus_t *self, const char *frame, size_t size)
{
    parsed_event_t parsed;
    if (!memchr(frame, '\0', size) || is_sync(self, frame)
        || !parse_frame(self, frame, size, &parsed))
        return;
    subscription_t *subscription;
    self->delivering++;
    TAILQ_FOREACH(subscription, &self->subscriptions, in_subscriptions)
    deliver(self, subscription, &parsed);
    self->delivering--;
    parsed_done(&parsed);
    free_ended(self);
}

static void on_events_input(void *arg, zsock_t *sock)
{
    bus_t *self = arg;
    zmq_msg_t message;
    zmq_msg_init(&message);
    for (int i = 0; i < DRAIN_COUNT && self->events == sock
                    && zmq_msg_recv(&message, zsock_resolve(sock), ZMQ_DONTWAIT) >= 0;
         i++)
        on_frame(self, zmq_msg_data(&message), zmq_msg_size(&message));
    zmq_msg_close(&message);
}

static void *copy_number(const void *number)
{
    uint64_t *copy = xcalloc(1, sizeof(*copy));
    *copy = *(const uint64_t *)number;
    return copy;
}

static void destroy_number(void **number_p)
{
    free(*number_p);
    *number_p = NULL;
}

int bus_subscribe(bus_t *self, const char *prefix, bus_event_fn *on_event, void *arg)
{
    subscription_t *subscription = xcalloc(1, sizeof(*subscription));
    subscription->bus = self;
    subscription->id = ++self->last_id;
    subscription->prefix = xstrdup(prefix);
    subscription->on_event = on_event;
    subscription->arg = arg;
    subscription->numbers = zhashx_new();
    zhashx_set_destructor(subscription->numbers, destroy_number);
    zhashx_set_duplicator(subscription->numbers, copy_number);
    TAILQ_INSERT_TAIL(&self->subscriptions, subscription, in_subscriptions);
    if (self->events) {
        zmq_setsockopt(zsock_resolve(self->events), ZMQ_SUBSCRIBE, prefix, strlen(prefix));
        synchronize(self, subscription);
    }
    return subscription->id;
}

void bus_unsubscribe(bus_t *self, int id)
{
    subscription_t *subscription;
    TAILQ_FOREACH(subscription, &self->subscriptions, in_subscriptions)
    {
        if (subscription->id != id || subscription->is_ended)
            continue;
        bus_cancel(self, subscription->ask_id);
        if (self->events)
            zmq_setsockopt(zsock_resolve(self->events), ZMQ_UNSUBSCRIBE, subscription->prefix,
                strlen(subscription->prefix));
        subscription->is_ended = true;
        break;
    }
    free_ended(self);
}

/* ---- socket -------------------------------------------------------------------------------- */

void subscribe_init(bus_t *self)
{
    TAILQ_INIT(&self->subscriptions);
}

void subscribe_open(bus_t *self, const char *endpoint)
{
    self->events = connection_socket(self, ZMQ_SUB, endpoint);
    if (!self->events)
        return;
    subscription_t *subscription;
    TAILQ_FOREACH(subscription, &self->subscriptions, in_subscriptions)
    {
        if (!subscription->is_ended)
            zmq_setsockopt(zsock_resolve(self->events), ZMQ_SUBSCRIBE, subscription->prefix,
                strlen(subscription->prefix));
    }
    ev_reader(self->ev, self->events, on_events_input, self);
}

void subscribe_on_welcome(bus_t *self)
{
    subscription_t *subscription;
    TAILQ_FOREACH(subscription, &self->subscriptions, in_subscriptions)
    {
        if (self->events && !subscription->is_ended)
            synchronize(self, subscription);
    }
}

void subscribe_close(bus_t *self)
{
    if (self->events)
        ev_reader_end(self->ev, self->events);
    zsock_destroy(&self->events);
}

void subscribe_done(bus_t *self)
{
    subscribe_close(self);
    while (!TAILQ_EMPTY(&self->subscriptions))
        subscription_free(self, TAILQ_FIRST(&self->subscriptions));
}
