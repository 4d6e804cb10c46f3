/* relay - moves bytes between a client's stream and the descriptors of a process or a connection,
 * no faster than either side takes them. */
#ifndef CLUSTER_ENV_KUBELET_RELAY_H
#define CLUSTER_ENV_KUBELET_RELAY_H

#include "services/cluster/env/api/node_stream.h"
#include "services/cluster/runtime/runtime.h"

typedef struct relay relay_t;

/* Takes the descriptors and borrows the stream. on_output_end is called, as the last thing of a
 * turn, when there is nothing more to read. */
relay_t *relay_new(ev_t *ev, node_stream_t *stream, const streams_t *streams,
    void (*on_output_end)(void *arg), void *arg);
void relay_destroy(relay_t **self_p);

/* For the events of the stream. */
void relay_input(relay_t *self, const void *bytes, size_t size);
void relay_input_end(relay_t *self);
void relay_resize(relay_t *self, int columns, int rows);
void relay_room(relay_t *self);

/* The process has ended: passes on what it left behind, and waits for nobody else. */
void relay_drain(relay_t *self);

#endif
