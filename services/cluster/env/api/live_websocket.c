/* A command's streams over WebSocket, vN.channel.k8s.io: the first byte of a message says of which
 * stream the others are. Version 5 adds a way for the client to say that its input has ended. */
#include "services/cluster/env/api/live.h"

#include "services/cluster/env/api/websocket.h"

#include "base/auto.h"
#include "base/mem.h"

enum {
    CHANNEL_INPUT = 0,
    CHANNEL_STATUS = 3,
    CHANNEL_RESIZE = 4,
    CHANNEL_CLOSE = 255,
    CHANNEL_NONE = -1,   /* the message's first byte is still to come */
    PIECE_MAX = 32 << 10 /* bytes of a message that is sent */
};

typedef struct session {
    live_wish_t *wish;
    tunnel_t *tunnel;
    websocket_t websocket;
    int channel; /* of the message that is coming in */
    resize_t resize;
    node_stream_t *node; /* NULL once it has ended */
} session_t;

/* ---- to the client -------------------------------------------------------------------------- */

static void send_frame(session_t *self, int opcode, const void *bytes, size_t size)
{
    uint8_t header[WEBSOCKET_HEADER_MAX];
    tunnel_write(self->tunnel, header, websocket_header(opcode, size, header));
    tunnel_write(self->tunnel, bytes, size);
}

static void send_channel(session_t *self, int channel, const void *bytes, size_t size)
{
    const char *at = bytes;
    for (size_t part; size; at += part, size -= part) {
        uint8_t header[WEBSOCKET_HEADER_MAX + 1];
        part = size < PIECE_MAX ? size : PIECE_MAX;
        size_t header_size = websocket_header(WEBSOCKET_BINARY, part + 1, header);
        header[header_size] = (uint8_t)channel;
        tunnel_write(self->tunnel, header, header_size + 1);
        tunnel_write(self->tunnel, at, part);
    }
}

/* code: RFC 6455, section 7.4.1 */
static void send_close(session_t *self, unsigned code)
{
    uint8_t bytes[] = {(uint8_t)(code >> 8), (uint8_t)code};
    send_frame(self, WEBSOCKET_CLOSE, bytes, sizeof(bytes));
    tunnel_end(self->tunnel);
}

/* ---- the node's stream ---------------------------------------------------------------------- */

static void on_write(void *arg, node_stream_channel_t channel, const void *bytes, size_t size)
{
    send_channel(arg, (int)channel, bytes, size);
}

static size_t on_pending(void *arg)
{
    return tunnel_pending(((session_t *)arg)->tunnel);
}

static void on_pause(void *arg, bool is_paused)
{
    tunnel_pause(((session_t *)arg)->tunnel, is_paused);
}

static void on_end(void *arg, const json_t *status)
{
    enum { NORMAL = 1000 };
    session_t *self = arg;
    AUTO_FREE char *text = json_dumps(status, JSON_COMPACT);
    self->node = NULL;
    send_channel(self, CHANNEL_STATUS, text, strlen(text));
    send_close(self, NORMAL);
}

static const node_stream_ops_t node_ops = {
    .write = on_write, .pending = on_pending, .pause = on_pause, .end = on_end};

/* ---- from the client ------------------------------------------------------------------------ */

static void take_channel(session_t *self, const uint8_t *bytes, size_t size)
{
    if (!self->node || !size)
        return;
    if (self->channel == CHANNEL_INPUT)
        node_stream_input(self->node, bytes, size);
    else if (self->channel == CHANNEL_RESIZE)
        resize_take(&self->resize, bytes, size, self->node);
    else if (self->channel == CHANNEL_CLOSE && bytes[0] == CHANNEL_INPUT)
        node_stream_input_end(self->node);
}

static void on_piece(void *arg, const void *bytes, size_t size, bool is_last)
{
    session_t *self = arg;
    const uint8_t *at = bytes;
    if (size && self->channel == CHANNEL_NONE) {
        self->channel = *at++;
        size--;
    }
    take_channel(self, at, size);
    if (is_last)
        self->channel = CHANNEL_NONE;
}

static void on_control(void *arg, int opcode, const void *bytes, size_t size)
{
    session_t *self = arg;
    if (opcode == WEBSOCKET_PING)
        send_frame(self, WEBSOCKET_PONG, bytes, size);
    if (opcode != WEBSOCKET_CLOSE)
        return;
    node_stream_gone(&self->node);
    send_frame(self, WEBSOCKET_CLOSE, bytes, size < 2 ? size : 2);
    tunnel_end(self->tunnel);
}

static void on_bytes(void *arg, const void *bytes, size_t size)
{
    enum { PROTOCOL_ERROR = 1002 };
    static const websocket_events_t events = {.on_piece = on_piece, .on_control = on_control};
    session_t *self = arg;
    if (websocket_receive(&self->websocket, bytes, size, &events, self, NULL) == 0)
        return;
    node_stream_gone(&self->node);
    send_close(self, PROTOCOL_ERROR);
}

static void on_room(void *arg)
{
    session_t *self = arg;
    if (self->node)
        node_stream_room(self->node);
}

/* A pong that nobody asked for: RFC 6455, section 5.5.3. */
static void on_probe(void *arg)
{
    send_frame(arg, WEBSOCKET_PONG, "", 0);
}

/* ---- life cycle ----------------------------------------------------------------------------- */

static void on_closed(void *arg)
{
    session_t *self = arg;
    node_stream_gone(&self->node);
    live_wish_destroy(&self->wish);
    free(self);
}

void live_websocket_open(void *wish, tunnel_t *tunnel)
{
    static const tunnel_events_t events = {
        .on_bytes = on_bytes, .on_room = on_room, .on_probe = on_probe, .on_closed = on_closed};
    session_t *self = xcalloc(1, sizeof(*self));
    *self = (session_t){.wish = wish, .tunnel = tunnel, .channel = CHANNEL_NONE};
    self->node = node_stream_new(&node_ops, self);
    tunnel_begin(tunnel, &events, self);
    self->wish->node->live(self->wish->node_arg, &self->wish->live, self->node);
}
