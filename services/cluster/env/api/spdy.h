/* spdy - the framing of SPDY/3.1 as far as Kubernetes' clients use it, as a server sees it.
 *
 * The client opens streams; both sides send bytes on them and half-close them. No priorities, no
 * settings, no flow control: the clients' library has none. No sockets: bytes come by
 * spdy_receive() and go by events->send. */
#ifndef CLUSTER_ENV_API_SPDY_H
#define CLUSTER_ENV_API_SPDY_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct spdy spdy_t;

typedef struct spdy_events {
    /* Bytes for the client. */
    void (*send)(void *arg, const void *bytes, size_t size);
    /* The client opened a stream; the handler answers with spdy_accept() or spdy_reset(). */
    void (*on_open)(void *arg, uint32_t id, const json_t *headers);
    void (*on_data)(void *arg, uint32_t id, const void *bytes, size_t size);
    /* The client will send no more on it. */
    void (*on_end)(void *arg, uint32_t id);
    /* The client is done with it altogether. */
    void (*on_reset)(void *arg, uint32_t id);
} spdy_events_t;

enum {
    SPDY_REFUSED = 3, /* reasons for spdy_reset() */
    SPDY_CANCEL = 5,
    SPDY_PIECE_MAX = 32 << 10, /* bytes of one frame that is sent */
};

spdy_t *spdy_new(const spdy_events_t *events, void *arg);
void spdy_destroy(spdy_t **self_p);

/* Takes bytes from the client; fails, for good, when they break the protocol. */
int spdy_receive(spdy_t *self, const void *bytes, size_t size, err_t *err);

void spdy_accept(spdy_t *self, uint32_t id);
void spdy_reset(spdy_t *self, uint32_t id, uint32_t reason);
void spdy_data(spdy_t *self, uint32_t id, const void *bytes, size_t size);
/* A frame without bytes, which means nothing. */
void spdy_probe(spdy_t *self, uint32_t id);
/* No more will be sent on it. */
void spdy_end(spdy_t *self, uint32_t id);

#endif
