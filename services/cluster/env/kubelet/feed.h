/* feed - what goes into a descriptor that takes bytes at its own pace. */
#ifndef CLUSTER_ENV_KUBELET_FEED_H
#define CLUSTER_ENV_KUBELET_FEED_H

#include "base/ev.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct feed feed_t;

enum { FEED_FULL = 256 << 10 }; /* bytes waiting beyond which the source should pause */

/* Takes the descriptor, which does not block. on_room is called, from the loop, when there is room
 * again after feed_is_full(); it may be NULL. */
feed_t *feed_new(ev_t *ev, int fd, void (*on_room)(void *arg), void *arg);
void feed_destroy(feed_t **self_p);

void feed_write(feed_t *self, const void *bytes, size_t size);
bool feed_is_full(const feed_t *self);
/* No more will come: closed once all is through; a socket only its sending side. */
void feed_end(feed_t *self);

#endif
