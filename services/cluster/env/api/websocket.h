/* websocket - the framing of RFC 6455, as a server sees it: no sockets, no buffers.
 *
 * Frames come in pieces of any size; a message's bytes are passed on as they come. */
#ifndef CLUSTER_ENV_API_WEBSOCKET_H
#define CLUSTER_ENV_API_WEBSOCKET_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WEBSOCKET_BINARY = 2,
    WEBSOCKET_CLOSE = 8,
    WEBSOCKET_PING = 9,
    WEBSOCKET_PONG = 10,
    WEBSOCKET_CONTROL_MAX = 125, /* bytes of a control frame */
    WEBSOCKET_HEADER_MAX = 10,   /* of a frame that a server sends */
    WEBSOCKET_PIECE_MAX = 4096,  /* bytes of one on_piece */
};

typedef struct websocket_events {
    /* Bytes of a message, text or binary; all its pieces but the last have is_last false. */
    void (*on_piece)(void *arg, const void *bytes, size_t size, bool is_last);
    /* WEBSOCKET_CLOSE, WEBSOCKET_PING or WEBSOCKET_PONG, whole. */
    void (*on_control)(void *arg, int opcode, const void *bytes, size_t size);
} websocket_events_t;

/* Zero at the start. */
typedef struct websocket {
    uint8_t header[14];
    size_t header_size;
    bool is_in_payload;
    bool is_final;
    bool is_in_message; /* a final frame of it is still to come */
    int opcode;
    uint8_t mask[4];
    uint64_t left; /* payload still to come */
    uint64_t done; /* payload that came */
    uint8_t control[WEBSOCKET_CONTROL_MAX];
} websocket_t;

/* Takes bytes from the client; fails, for good, when they break the protocol. */
int websocket_receive(websocket_t *self, const void *bytes, size_t size,
    const websocket_events_t *events, void *arg, err_t *err);

/* Writes the header of a whole frame of a server, whose payload follows; returns its size. */
size_t websocket_header(int opcode, size_t size, uint8_t header[WEBSOCKET_HEADER_MAX]);

/* The value of Sec-WebSocket-Accept, for free(). */
char *websocket_accept(const char *key);

#endif
