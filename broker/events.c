/* Events: numbered, checked, and passed on to whoever subscribed. */
#include "broker/internal.h"

#include "base/mem.h"
#include "bus/topic.h"

#include <string.h>

enum { NUMBER_AT = 1, ENVELOPE_AT = 9 }; /* behind the topic: NUL, number, envelope */

static bool is_reserved(const char *topic, size_t size)
{
    size_t reserved = strlen(TOPIC_SYNC);
    return size >= reserved && memcmp(topic, TOPIC_SYNC, reserved) == 0;
}

/* The length of the topic of an event that may pass, or 0. */
static size_t check_event(const broker_t *self, const char *event, size_t size)
{
    size_t topic_size = topics_parse(event, size);
    envelope_peek_t peek;
    if (!topic_size || size > self->config.event_limit || is_reserved(event, topic_size))
        return 0;
    size_t envelope_at = topic_size + ENVELOPE_AT;
    bool is_event = envelope_peek(event + envelope_at, size - envelope_at, &peek) == 0
                    && peek.kind == ENVELOPE_EVENT;
    return is_event ? topic_size : 0;
}

static void on_event(broker_t *self, zmq_msg_t *message)
{
    char *event = zmq_msg_data(message);
    size_t size = zmq_msg_size(message);
    size_t topic_size = check_event(self, event, size);
    if (!topic_size) {
        self->counts.events_invalid++;
        return;
    }
    topics_stamp(self->topics, event, size, topic_size);
    self->counts.events++;
    self->counts.event_bytes += size;
    (void)zmq_msg_send(message, self->events, ZMQ_DONTWAIT); /* an XPUB never blocks */
}

/* An event is one frame; the frames of anything longer are thrown away. */
static bool is_whole(broker_t *self, zmq_msg_t *message)
{
    if (!zmq_msg_more(message))
        return true;
    self->counts.events_invalid++;
    while (zmq_msg_more(message) && zmq_msg_recv(message, self->publish, ZMQ_DONTWAIT) >= 0)
        continue;
    return false;
}

bool events_drain_published(void *arg)
{
    broker_t *self = arg;
    bool has_more = true;
    zmq_msg_t message;
    zmq_msg_init(&message);
    for (int i = 0; i < DRAIN_COUNT && has_more; i++) {
        has_more = zmq_msg_recv(&message, self->publish, ZMQ_DONTWAIT) >= 0;
        if (has_more && is_whole(self, &message))
            on_event(self, &message);
    }
    zmq_msg_close(&message);
    inlet_drain(&self->subscriptions_inlet); /* sending may have taken its commands */
    return has_more;
}

/* ---- subscriptions -------------------------------------------------------------------------- */

/* Tells the subscriber that what it subscribed to before holds now. */
static void confirm(broker_t *self, const char *topic, size_t size)
{
    zmq_msg_t event;
    if (zmq_msg_init_size(&event, size + ENVELOPE_AT) < 0)
        mem_check(NULL);
    char *at = zmq_msg_data(&event);
    memcpy(at, topic, size);
    memset(at + size, 0, ENVELOPE_AT);
    if (zmq_msg_send(&event, self->events, ZMQ_DONTWAIT) < 0)
        zmq_msg_close(&event);
}

/* Whether the subscription may be; if so, it can be taken back later. */
static bool admit(broker_t *self, zmq_msg_t *message, const char *prefix, size_t size)
{
    principal_t *principal = roles_use(&self->roles, router_user_id(self, message));
    bool is_admitted = principal_may_hear(principal, prefix, size);
    if (is_admitted && principal->role == BUS_ROLE_AGENT && !is_reserved(prefix, size))
        is_admitted = audience_add(principal, zmq_msg_get(message, ZMQ_SRCFD), prefix, size);
    roles_end_use(&self->roles, principal);
    return is_admitted;
}

static void dismiss(broker_t *self, zmq_msg_t *message, const char *prefix, size_t size)
{
    principal_t *principal = roles_use(&self->roles, router_user_id(self, message));
    audience_remove(principal, zmq_msg_get(message, ZMQ_SRCFD), prefix, size);
    roles_end_use(&self->roles, principal);
}

static void on_subscription(broker_t *self, zmq_msg_t *message)
{
    const char *data = zmq_msg_data(message);
    size_t size = zmq_msg_size(message);
    if (!size || (data[0] != 0 && data[0] != 1))
        return;
    bool is_new = data[0] == 1;
    const char *prefix = data + 1;
    if (is_new && !admit(self, message, prefix, size - 1)) {
        self->counts.subscriptions_refused++;
        return;
    }
    if (!is_new)
        dismiss(self, message, prefix, size - 1);
    self->counts.subscriptions += is_new ? 1 : 0;
    /* Of the connection that the last message was read from. It may have ended since. */
    (void)zmq_setsockopt(self->events, is_new ? ZMQ_SUBSCRIBE : ZMQ_UNSUBSCRIBE, prefix, size - 1);
    if (is_new && is_reserved(prefix, size - 1))
        confirm(self, prefix, size - 1);
}

bool events_drain_subscriptions(void *arg)
{
    broker_t *self = arg;
    bool has_more = true;
    zmq_msg_t message;
    zmq_msg_init(&message);
    for (int i = 0; i < DRAIN_COUNT && has_more; i++) {
        has_more = zmq_msg_recv(&message, self->events, ZMQ_DONTWAIT) >= 0;
        if (has_more)
            on_subscription(self, &message);
    }
    zmq_msg_close(&message);
    return has_more;
}
