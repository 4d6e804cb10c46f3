/* stream - an answer that comes in pieces: a watch, a followed log.
 *
 * Its source either writes when it has something, or is asked by on_room when all written bytes
 * are on their way. It must not outlive its request: on_closed tells the source that the stream is
 * no more, whether it ended itself or the client left. */
#ifndef CLUSTER_ENV_API_STREAM_H
#define CLUSTER_ENV_API_STREAM_H

#include "services/cluster/env/api/buffer.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct stream {
    buffer_t pending;
    bool is_ended;                /* nothing more will be written */
    bool is_asleep;               /* the reader waits for stream_wake() */
    void (*on_room)(void *arg);   /* may be NULL */
    void (*on_closed)(void *arg); /* may be NULL */
    void *arg;
    void (*on_wake)(void *reader); /* set by the reader */
    void *reader;
} stream_t;

stream_t *stream_new(void (*on_room)(void *arg), void (*on_closed)(void *arg), void *arg);
/* Calls on_closed. */
void stream_destroy(stream_t **self_p);

void stream_write(stream_t *self, const void *bytes, size_t size);
/* No more will come; what was written is still sent. */
void stream_end(stream_t *self);
/* Has the reader ask again. */
void stream_wake(stream_t *self);

/* For the reader: at most size bytes; 0 and *is_end_p when there will be no more, otherwise 0 when
 * there is nothing now, and stream_wake() will call. */
size_t stream_read(stream_t *self, void *out, size_t size, bool *is_end_p);

#endif
