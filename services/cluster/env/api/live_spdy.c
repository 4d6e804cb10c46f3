/* A command's streams over SPDY/3.1, v4.channel.k8s.io: one stream each, which the client opens;
 * the command starts when all are there. */
#include "services/cluster/env/api/live.h"

#include "services/cluster/env/api/spdy.h"
#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

enum { STREAM_ERROR, STREAM_INPUT, STREAM_OUTPUT, STREAM_ERRORS, STREAM_RESIZE, STREAM_COUNT };

static const char *const stream_types[STREAM_COUNT] = {
    [STREAM_ERROR] = "error", /* the status in the end */
    [STREAM_INPUT] = "stdin",
    [STREAM_OUTPUT] = "stdout",
    [STREAM_ERRORS] = "stderr",
    [STREAM_RESIZE] = "resize",
};

typedef struct session {
    live_wish_t *wish;
    tunnel_t *tunnel;
    spdy_t *spdy;
    uint32_t ids[STREAM_COUNT]; /* 0: not open */
    resize_t resize;
    bool is_started;
    node_stream_t *node; /* NULL once it has ended */
} session_t;

/* ---- the node's stream ---------------------------------------------------------------------- */

static void on_write(void *arg, node_stream_channel_t channel, const void *bytes, size_t size)
{
    session_t *self = arg;
    uint32_t id = self->ids[channel == NODE_STREAM_ERRORS ? STREAM_ERRORS : STREAM_OUTPUT];
    if (id)
        spdy_data(self->spdy, id, bytes, size);
}

static size_t on_pending(void *arg)
{
    return tunnel_pending(((session_t *)arg)->tunnel);
}

static void on_pause(void *arg, bool is_paused)
{
    tunnel_pause(((session_t *)arg)->tunnel, is_paused);
}

static void on_node_end(void *arg, const json_t *status)
{
    session_t *self = arg;
    AUTO_FREE char *text = json_dumps(status, JSON_COMPACT);
    self->node = NULL;
    if (self->ids[STREAM_ERROR])
        spdy_data(self->spdy, self->ids[STREAM_ERROR], text, strlen(text));
    for (int i = 0; i < STREAM_COUNT; i++) {
        if (self->ids[i])
            spdy_end(self->spdy, self->ids[i]);
    }
    tunnel_end(self->tunnel);
}

static const node_stream_ops_t node_ops = {
    .write = on_write, .pending = on_pending, .pause = on_pause, .end = on_node_end};

/* ---- from the client ------------------------------------------------------------------------ */

static bool is_complete(const session_t *self)
{
    const node_live_t *live = &self->wish->live;
    return self->ids[STREAM_ERROR] && (!live->has_input || self->ids[STREAM_INPUT])
           && (!live->has_output || self->ids[STREAM_OUTPUT])
           && (!live->has_errors || self->ids[STREAM_ERRORS])
           && (!live->has_terminal || self->ids[STREAM_RESIZE]);
}

static void on_open(void *arg, uint32_t id, const json_t *headers)
{
    session_t *self = arg;
    const char *type = object_string(headers, "streamtype");
    int found = 0;
    while (found < STREAM_COUNT && strcmp(type, stream_types[found]) != 0)
        found++;
    if (found == STREAM_COUNT || self->ids[found] || !id) {
        spdy_reset(self->spdy, id, SPDY_REFUSED);
        return;
    }
    self->ids[found] = id;
    spdy_accept(self->spdy, id);
    if (self->is_started || !is_complete(self))
        return;
    self->is_started = true;
    self->wish->node->live(self->wish->node_arg, &self->wish->live, self->node);
}

static void on_data(void *arg, uint32_t id, const void *bytes, size_t size)
{
    session_t *self = arg;
    if (!self->node || !id)
        return;
    if (id == self->ids[STREAM_INPUT])
        node_stream_input(self->node, bytes, size);
    else if (id == self->ids[STREAM_RESIZE])
        resize_take(&self->resize, bytes, size, self->node);
}

static void on_end(void *arg, uint32_t id)
{
    session_t *self = arg;
    if (self->node && id && id == self->ids[STREAM_INPUT])
        node_stream_input_end(self->node);
}

static void on_send(void *arg, const void *bytes, size_t size)
{
    tunnel_write(((session_t *)arg)->tunnel, bytes, size);
}

static const spdy_events_t spdy_events = {
    .send = on_send, .on_open = on_open, .on_data = on_data, .on_end = on_end, .on_reset = on_end};

static void on_bytes(void *arg, const void *bytes, size_t size)
{
    session_t *self = arg;
    if (spdy_receive(self->spdy, bytes, size, NULL) == 0)
        return;
    node_stream_gone(&self->node);
    tunnel_end(self->tunnel);
}

static void on_room(void *arg)
{
    session_t *self = arg;
    if (self->node)
        node_stream_room(self->node);
}

static void on_probe(void *arg)
{
    const session_t *self = arg;
    spdy_probe(self->spdy, self->ids[STREAM_ERROR]);
}

/* ---- life cycle ----------------------------------------------------------------------------- */

static void on_closed(void *arg)
{
    session_t *self = arg;
    node_stream_gone(&self->node);
    spdy_destroy(&self->spdy);
    live_wish_destroy(&self->wish);
    free(self);
}

void live_spdy_open(void *wish, tunnel_t *tunnel)
{
    static const tunnel_events_t events = {
        .on_bytes = on_bytes, .on_room = on_room, .on_probe = on_probe, .on_closed = on_closed};
    session_t *self = xcalloc(1, sizeof(*self));
    *self = (session_t){.wish = wish, .tunnel = tunnel};
    self->spdy = spdy_new(&spdy_events, self);
    self->node = node_stream_new(&node_ops, self);
    tunnel_begin(tunnel, &events, self);
}
