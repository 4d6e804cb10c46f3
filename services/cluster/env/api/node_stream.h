/* node_stream - a live connection between a client and something in a pod: a command's streams, a
 * container's, a forwarded port.
 *
 * The node begins it, is told what the client sends, writes what the pod says, and ends it. The
 * client may go before: then on_gone is called, and the handle is dead. */
#ifndef CLUSTER_ENV_API_NODE_STREAM_H
#define CLUSTER_ENV_API_NODE_STREAM_H

#include "services/cluster/env/api/tunnel.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct node_stream node_stream_t;

typedef enum { NODE_STREAM_OUTPUT = 1, NODE_STREAM_ERRORS = 2 } node_stream_channel_t;

enum { NODE_STREAM_FULL = TUNNEL_FULL };

/* What the node is told. */
typedef struct node_stream_events {
    void (*on_input)(void *arg, const void *bytes, size_t size);
    void (*on_input_end)(void *arg);
    void (*on_resize)(void *arg, int columns, int rows);
    /* Less than NODE_STREAM_FULL is pending, after more was. */
    void (*on_room)(void *arg);
    void (*on_gone)(void *arg);
} node_stream_events_t;

/* ---- the node's side ------------------------------------------------------------------------ */

/* From now on events are called; never from within the functions below. */
void node_stream_begin(node_stream_t *self, const node_stream_events_t *events, void *arg);
void node_stream_write(
    node_stream_t *self, node_stream_channel_t channel, const void *bytes, size_t size);
/* Bytes written but not sent; beyond NODE_STREAM_FULL the node should pause until on_room. */
size_t node_stream_pending(const node_stream_t *self);
/* Takes no input for a while. */
void node_stream_pause(node_stream_t *self, bool is_paused);

/* Each of these ends it, and the handle is dead: all is well; a command ended with this code, and
 * the text says what has; something failed, and the text says what. */
void node_stream_end(node_stream_t **self_p);
void node_stream_exit(node_stream_t **self_p, int code, const char *text);
void node_stream_fail(node_stream_t **self_p, const char *text);

/* ---- the side of the connection -------------------------------------------------------------- */

typedef struct node_stream_ops {
    void (*write)(void *arg, node_stream_channel_t channel, const void *bytes, size_t size);
    size_t (*pending)(void *arg);
    void (*pause)(void *arg, bool is_paused);
    /* status is a Status object, as the client is told it. The stream is gone after it. */
    void (*end)(void *arg, const json_t *status);
} node_stream_ops_t;

node_stream_t *node_stream_new(const node_stream_ops_t *ops, void *arg);
void node_stream_input(node_stream_t *self, const void *bytes, size_t size);
void node_stream_input_end(node_stream_t *self);
void node_stream_resize(node_stream_t *self, int columns, int rows);
void node_stream_room(node_stream_t *self);
/* The client went; NULL-safe. */
void node_stream_gone(node_stream_t **self_p);

#endif
