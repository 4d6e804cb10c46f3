/* live - exec, attach and port-forward: requests that become connections to something in a pod. */
#ifndef CLUSTER_ENV_API_LIVE_H
#define CLUSTER_ENV_API_LIVE_H

#include "services/cluster/env/api/api_internal.h"

/* What the client asked for, kept until its connection is there. */
typedef struct live_wish {
    const node_ops_t *node; /* borrowed, as its argument is */
    void *node_arg;
    json_t *pod;
    node_live_t live; /* its texts are owned */
    bool is_websocket;
} live_wish_t;

void live_wish_destroy(live_wish_t **self_p);

/* Answers with the upgrade to one of the protocols for commands and containers, or with why not.
 * argv NULL: to the container's own streams. */
void live_handle(api_t *self, request_t *request, json_t *pod, const char *container, char **argv);
/* The same for forwarded ports. */
void live_handle_ports(api_t *self, request_t *request, json_t *pod);

/* ---- what a connection becomes; each takes the wish, which is its argument --------------------
 */

/* vN.channel.k8s.io over WebSocket. */
void live_websocket_open(void *wish, tunnel_t *tunnel);
/* vN.channel.k8s.io over SPDY/3.1. */
void live_spdy_open(void *wish, tunnel_t *tunnel);
/* Forwarded ports: SPDY/3.1, by itself or within WebSocket's messages. */
void live_forward_open(void *wish, tunnel_t *tunnel);

/* ---- terminal sizes: {"Width":80,"Height":24}, one after the other ----------------------------
 */

typedef struct resize {
    char text[128];
    size_t size;
} resize_t;

/* Tells the node of each size that is complete. */
void resize_take(resize_t *self, const void *bytes, size_t size, node_stream_t *stream);

#endif
