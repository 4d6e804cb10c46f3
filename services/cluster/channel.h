/* channel - the private line between the cluster service and one environment.
 *
 * A socket pair on which envelopes travel, each behind its size in 4 bytes (big endian). When the
 * other side goes, the line is dead: the environment then ends, and the service knows that it has.
 */
#ifndef CLUSTER_CHANNEL_H
#define CLUSTER_CHANNEL_H

#include "base/ev.h"
#include "proto/envelope.h"
#include "proto/messages.h"

/* Where in an environment's folder its agent's shell is had. */
#define SHELL_SOCKET "shell"

typedef struct channel channel_t;

/* envelope is borrowed; NULL: the line is dead, and fn may destroy the channel as its last act. */
typedef void(channel_fn)(void *arg, const envelope_t *envelope);

/* Takes the descriptor, one end of a stream socket pair. */
channel_t *channel_new(ev_t *ev, int fd, channel_fn *fn, void *arg);
void channel_destroy(channel_t **self_p);

/* Sends a message. For a reply corr is the request's id, else NULL. id is NULL but for requests. */
void channel_send(channel_t *self, envelope_kind_t kind, const char *id, const char *corr,
    const codec_type_t *type, const void *message);

#endif
