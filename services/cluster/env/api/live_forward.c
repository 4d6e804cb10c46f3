/* Forwarded ports over SPDY/3.1: for each connection the client opens two streams with the same
 * number of request, one for its bytes and one on which it is told what went wrong. Newer clients
 * send the same within WebSocket's messages, cut anywhere. */
#include "services/cluster/env/api/live.h"

#include "services/cluster/env/api/spdy.h"
#include "services/cluster/env/api/websocket.h"
#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

#include <sys/queue.h>

enum { PAIRS_MOST = 1024 };

typedef struct session session_t;

/* One forwarded connection. */
typedef struct pair {
    session_t *session;
    char *request;
    uint32_t data_id; /* 0: not open yet */
    uint32_t error_id;
    bool is_paused;
    node_stream_t *node; /* NULL until both are open */
    LIST_ENTRY(pair) in_pairs;
} pair_t;

struct session {
    live_wish_t *wish;
    tunnel_t *tunnel;
    spdy_t *spdy;
    websocket_t websocket; /* if the wish says so */
    LIST_HEAD(, pair) pairs;
    size_t pair_count;
    size_t paused_count;
};

/* ---- to the client -------------------------------------------------------------------------- */

static void send_frame(session_t *self, int opcode, const void *bytes, size_t size)
{
    uint8_t header[WEBSOCKET_HEADER_MAX];
    tunnel_write(self->tunnel, header, websocket_header(opcode, size, header));
    tunnel_write(self->tunnel, bytes, size);
}

static void on_send(void *arg, const void *bytes, size_t size)
{
    session_t *self = arg;
    if (self->wish->is_websocket)
        send_frame(self, WEBSOCKET_BINARY, bytes, size);
    else
        tunnel_write(self->tunnel, bytes, size);
}

/* ---- pairs ---------------------------------------------------------------------------------- */

static void pair_pause(pair_t *pair, bool is_paused)
{
    session_t *self = pair->session;
    if (pair->is_paused == is_paused)
        return;
    pair->is_paused = is_paused;
    self->paused_count += is_paused ? 1 : (size_t)-1;
    tunnel_pause(self->tunnel, self->paused_count > 0);
}

static void pair_end(pair_t *pair)
{
    pair_pause(pair, false);
    node_stream_gone(&pair->node);
    LIST_REMOVE(pair, in_pairs);
    pair->session->pair_count--;
    free(pair->request);
    free(pair);
}

static pair_t *find_request(const session_t *self, const char *request)
{
    pair_t *pair;
    LIST_FOREACH(pair, &self->pairs, in_pairs)
    {
        if (!pair->node && !strcmp(pair->request, request))
            return pair;
    }
    return NULL;
}

static pair_t *find_data(const session_t *self, uint32_t id)
{
    pair_t *pair;
    LIST_FOREACH(pair, &self->pairs, in_pairs)
    {
        if (id && pair->data_id == id)
            return pair;
    }
    return NULL;
}

static pair_t *add_pair(session_t *self, const char *request)
{
    pair_t *pair = xcalloc(1, sizeof(*pair));
    pair->session = self;
    pair->request = xstrdup(request);
    LIST_INSERT_HEAD(&self->pairs, pair, in_pairs);
    self->pair_count++;
    return pair;
}

/* ---- the node's stream ---------------------------------------------------------------------- */

static void on_write(void *arg, node_stream_channel_t channel, const void *bytes, size_t size)
{
    pair_t *pair = arg;
    (void)channel;
    spdy_data(pair->session->spdy, pair->data_id, bytes, size);
}

static size_t on_pending(void *arg)
{
    return tunnel_pending(((pair_t *)arg)->session->tunnel);
}

static void on_pause(void *arg, bool is_paused)
{
    pair_pause(arg, is_paused);
}

static void on_node_end(void *arg, const json_t *status)
{
    pair_t *pair = arg;
    spdy_t *spdy = pair->session->spdy;
    const char *error =
        object_string(json_array_get(object_at(status, "details.causes"), 0), "message");
    pair->node = NULL;
    if (*error)
        spdy_data(spdy, pair->error_id, error, strlen(error));
    spdy_end(spdy, pair->error_id);
    spdy_end(spdy, pair->data_id);
    pair_end(pair);
}

static const node_stream_ops_t node_ops = {
    .write = on_write, .pending = on_pending, .pause = on_pause, .end = on_node_end};

/* ---- from the client ------------------------------------------------------------------------ */

static uint32_t *id_for(pair_t *pair, const char *type)
{
    return !strcmp(type, "data") ? &pair->data_id : &pair->error_id;
}

static void on_open(void *arg, uint32_t id, const json_t *headers)
{
    session_t *self = arg;
    const char *type = object_string(headers, "streamtype");
    const char *request = object_string(headers, "requestid");
    long port = strtol(object_string(headers, "port"), NULL, 10);
    pair_t *pair = find_request(self, request);
    bool is_good = id && port > 0 && port <= UINT16_MAX && self->pair_count < PAIRS_MOST
                   && (!strcmp(type, "data") || !strcmp(type, "error"))
                   && (!pair || !*id_for(pair, type));
    if (!is_good) {
        spdy_reset(self->spdy, id, SPDY_REFUSED);
        return;
    }
    if (!pair)
        pair = add_pair(self, request);
    *id_for(pair, type) = id;
    spdy_accept(self->spdy, id);
    if (!pair->data_id || !pair->error_id)
        return;
    pair->node = node_stream_new(&node_ops, pair);
    self->wish->node->dial(self->wish->node_arg, self->wish->pod, (int)port, pair->node);
}

static void on_data(void *arg, uint32_t id, const void *bytes, size_t size)
{
    const pair_t *pair = find_data(arg, id);
    if (pair && pair->node)
        node_stream_input(pair->node, bytes, size);
}

static void on_end(void *arg, uint32_t id)
{
    const pair_t *pair = find_data(arg, id);
    if (pair && pair->node)
        node_stream_input_end(pair->node);
}

static void on_reset(void *arg, uint32_t id)
{
    pair_t *pair = find_data(arg, id);
    if (pair)
        pair_end(pair);
}

static const spdy_events_t spdy_events = {.send = on_send,
    .on_open = on_open,
    .on_data = on_data,
    .on_end = on_end,
    .on_reset = on_reset};

static void end_all(session_t *self)
{
    while (!LIST_EMPTY(&self->pairs))
        pair_end(LIST_FIRST(&self->pairs));
    tunnel_end(self->tunnel);
}

static void take(session_t *self, const void *bytes, size_t size)
{
    if (spdy_receive(self->spdy, bytes, size, NULL) < 0)
        end_all(self);
}

static void on_piece(void *arg, const void *bytes, size_t size, bool is_last)
{
    (void)is_last;
    take(arg, bytes, size);
}

static void on_control(void *arg, int opcode, const void *bytes, size_t size)
{
    session_t *self = arg;
    if (opcode == WEBSOCKET_PING)
        send_frame(self, WEBSOCKET_PONG, bytes, size);
    if (opcode != WEBSOCKET_CLOSE)
        return;
    send_frame(self, WEBSOCKET_CLOSE, bytes, size < 2 ? size : 2);
    end_all(self);
}

static void on_bytes(void *arg, const void *bytes, size_t size)
{
    static const websocket_events_t events = {.on_piece = on_piece, .on_control = on_control};
    session_t *self = arg;
    if (!self->wish->is_websocket)
        take(self, bytes, size);
    else if (websocket_receive(&self->websocket, bytes, size, &events, self, NULL) < 0)
        end_all(self);
}

static void on_room(void *arg)
{
    session_t *self = arg;
    for (pair_t *pair = LIST_FIRST(&self->pairs), *next; pair; pair = next) {
        next = LIST_NEXT(pair, in_pairs);
        if (pair->node)
            node_stream_room(pair->node);
    }
}

static void on_probe(void *arg)
{
    session_t *self = arg;
    const pair_t *pair = LIST_FIRST(&self->pairs);
    if (self->wish->is_websocket)
        send_frame(self, WEBSOCKET_PONG, "", 0);
    else if (pair)
        spdy_probe(self->spdy, pair->error_id);
}

/* ---- life cycle ----------------------------------------------------------------------------- */

static void on_closed(void *arg)
{
    session_t *self = arg;
    while (!LIST_EMPTY(&self->pairs))
        pair_end(LIST_FIRST(&self->pairs));
    spdy_destroy(&self->spdy);
    live_wish_destroy(&self->wish);
    free(self);
}

void live_forward_open(void *wish, tunnel_t *tunnel)
{
    static const tunnel_events_t events = {
        .on_bytes = on_bytes, .on_room = on_room, .on_probe = on_probe, .on_closed = on_closed};
    session_t *self = xcalloc(1, sizeof(*self));
    *self = (session_t){.wish = wish, .tunnel = tunnel};
    LIST_INIT(&self->pairs);
    self->spdy = spdy_new(&spdy_events, self);
    tunnel_begin(tunnel, &events, self);
}
