/* live - clients' streams into pods: commands, containers' own streams, ports. */
#ifndef CLUSTER_ENV_KUBELET_LIVE_H
#define CLUSTER_ENV_KUBELET_LIVE_H

#include "services/cluster/env/api/node_ops.h"
#include "services/cluster/env/kubelet/feed.h"

#include <sys/queue.h>

struct pod_container;

/* ---- for node_ops_t; arg is the kubelet -------------------------------------------------------
 */

char *live_refuse(void *arg, const node_live_t *live);
void live_open(void *arg, const node_live_t *live, node_stream_t *stream);
void live_dial(void *arg, const json_t *pod, int port, node_stream_t *stream);

/* ---- a container's own streams, as clients share them ------------------------------------------
 */

typedef struct attachment attachment_t;

/* Zero when there is nobody. */
typedef struct attachments {
    LIST_HEAD(, attachment) list;
    feed_t *input;      /* of the container; NULL: it has none, or it was closed */
    int terminal_fd;    /* borrowed; -1: it has none */
    bool is_input_once; /* closed when the first client's input has ended */
} attachments_t;

/* A run began. Takes the input's descriptor, -1 for none. */
void attachments_begin(
    attachments_t *self, ev_t *ev, int input_fd, int terminal_fd, bool is_input_once);
/* The container wrote. */
void attachments_write(attachments_t *self, const void *bytes, size_t size);
/* The run is over, and so are its clients. */
void attachments_end(attachments_t *self);
void attachments_add(attachments_t *self, const node_live_t *live, node_stream_t *stream);

#endif
