/* Events to the broker.
 *
 * The socket is an XPUB, on the wire the same as PUB: it lets us know when the broker's
 * subscription has arrived, so that nothing is published to nobody. */
#include "bus/bus_internal.h"

#include "base/auto.h"
#include "base/mem.h"
#include "bus/topic.h"

enum { NUMBER_SIZE = 8, STATE_LIMIT = 4096 /* states that are kept for a new broker */ };

static void queued_free(queued_event_t *event)
{
    free(event->frame);
    free(event);
}

static void queued_destroy(void **event_p)
{
    queued_free(*event_p);
    *event_p = NULL;
}

static int send_frame(bus_t *self, const char *frame, size_t size)
{
    void *socket = zsock_resolve(self->publish);
    return zmq_send(socket, frame, size, ZMQ_DONTWAIT) < 0 ? -1 : 0;
}

static bool drop_oldest(bus_t *self)
{
    if (self->queue_count < BUS_QUEUE_LIMIT)
        return false;
    queued_event_t *oldest = TAILQ_FIRST(&self->queue);
    TAILQ_REMOVE(&self->queue, oldest, in_queue);
    self->queue_count--;
    self->counts.events_dropped++;
    queued_free(oldest);
    return true;
}

static queued_event_t *queued_new(const char *frame, size_t size)
{
    queued_event_t *event = xcalloc(1, sizeof(*event));
    event->frame = mem_check(malloc(size));
    memcpy(event->frame, frame, size);
    event->size = size;
    return event;
}

void publish_flush(bus_t *self)
{
    while (self->publish_ready && !TAILQ_EMPTY(&self->queue)) {
        queued_event_t *event = TAILQ_FIRST(&self->queue);
        if (send_frame(self, event->frame, event->size) < 0)
            return;
        TAILQ_REMOVE(&self->queue, event, in_queue);
        self->queue_count--;
        queued_free(event);
    }
}

static int send_or_queue(bus_t *self, const char *frame, size_t size)
{
    publish_flush(self);
    if (self->publish_ready && !self->queue_count && send_frame(self, frame, size) == 0)
        return 0;
    bool has_dropped = drop_oldest(self);
    queued_event_t *event = queued_new(frame, size);
    TAILQ_INSERT_TAIL(&self->queue, event, in_queue);
    self->queue_count++;
    return has_dropped ? -ERR_OVERLOADED : 0;
}

/* What a broker that we have not published to yet would not know. */
static void publish_states(bus_t *self)
{
    for (queued_event_t *event = zhashx_first(self->states); event;
         event = zhashx_next(self->states))
        (void)send_frame(self, event->frame, event->size); /* refused: the queue is full anyway */
}

/* The broker subscribed, or went. Each connection of it subscribes once, and (ZMQ_XPUB_VERBOSE)
 * is heard even if the connection before it has not yet been seen to end. */
static void on_publish_input(void *arg, zsock_t *sock)
{
    bus_t *self = arg;
    AUTO(zframe_destroy) zframe_t *frame = zframe_recv(sock);
    self->publish_ready = frame && zframe_size(frame) == 1 && *zframe_data(frame) == 1;
    if (!self->publish_ready)
        return;
    if (self->has_published)
        publish_states(self);
    self->has_published = true;
    publish_flush(self);
}

static void keep_state(bus_t *self, const char *topic, const char *frame, size_t size)
{
    if (!topic_is_state(topic))
        return;
    if (zhashx_size(self->states) >= STATE_LIMIT && !zhashx_lookup(self->states, topic))
        zhashx_delete(self->states, (zhashx_first(self->states), zhashx_cursor(self->states)));
    zhashx_update(self->states, topic, queued_new(frame, size));
}

/* topic NUL number envelope, in new memory. */
static char *make_frame(const char *topic, const char *envelope, size_t size, size_t *frame_size_p)
{
    size_t head = strlen(topic) + 1 + NUMBER_SIZE;
    char *frame = xcalloc(1, head + size);
    memcpy(frame, topic, strlen(topic) + 1);
    memcpy(frame + head, envelope, size);
    *frame_size_p = head + size;
    return frame;
}

int bus_publish_in(bus_t *self, const char *topic, const codec_type_t *type, const void *message,
    const char *session, const char *trace)
{
    AUTO_FREE char *body = NULL;
    AUTO_FREE char *bytes = NULL;
    size_t body_size = 0;
    size_t size = 0;
    int rc = codec_encode(type, message, &body, &body_size, NULL);
    if (rc < 0)
        return rc;
    char id[40];
    snprintf(id, sizeof(id), "%016llx-%x", (unsigned long long)self->wire_seed,
        (unsigned)++self->last_id);
    envelope_t envelope = {.kind = ENVELOPE_EVENT,
        .id = id,
        .type = type->name,
        .source = self->source,
        .time = zclock_time(),
        .session = session,
        .trace = trace,
        .body = body,
        .body_size = body_size};
    envelope_encode(&envelope, &bytes, &size);
    AUTO_FREE char *frame = make_frame(topic, bytes, size, &size);
    if (size > self->event_limit)
        return -ERR_LIMIT;
    self->counts.events_published++;
    keep_state(self, topic, frame, size);
    return send_or_queue(self, frame, size);
}

int bus_publish(bus_t *self, const char *topic, const codec_type_t *type, const void *message)
{
    return bus_publish_in(self, topic, type, message, NULL, NULL);
}

/* ---- socket -------------------------------------------------------------------------------- */

void publish_init(bus_t *self)
{
    TAILQ_INIT(&self->queue);
    self->states = zhashx_new();
    zhashx_set_destructor(self->states, queued_destroy);
}

/* Whoever may not publish is not told where. */
void publish_open(bus_t *self, const char *endpoint)
{
    if (!*endpoint)
        return;
    self->publish = connection_socket(self, ZMQ_XPUB, endpoint);
    if (self->publish)
        ev_reader(self->ev, self->publish, on_publish_input, self);
}

void publish_close(bus_t *self)
{
    if (self->publish)
        ev_reader_end(self->ev, self->publish);
    zsock_destroy(&self->publish);
    self->publish_ready = false;
}

void publish_done(bus_t *self)
{
    publish_flush(self);
    publish_close(self);
    while (!TAILQ_EMPTY(&self->queue)) {
        queued_event_t *event = TAILQ_FIRST(&self->queue);
        TAILQ_REMOVE(&self->queue, event, in_queue);
        queued_free(event);
    }
    zhashx_destroy(&self->states);
}
