/* tunnel - a connection after its upgrade: bytes both ways, whatever they mean.
 *
 * Its user is told of bytes, of room for more, and in the end that it is closed; then it is gone.
 * It closes when the client goes, or some time after tunnel_end(). */
#ifndef CLUSTER_ENV_API_TUNNEL_H
#define CLUSTER_ENV_API_TUNNEL_H

#include "base/err.h"
#include "base/ev.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct tunnel tunnel_t;

enum { TUNNEL_FULL = 256 << 10 }; /* pending bytes beyond which writers should pause */

typedef struct tunnel_events {
    void (*on_bytes)(void *arg, const void *bytes, size_t size);
    /* Less than TUNNEL_FULL is pending, after more was. */
    void (*on_room)(void *arg);
    /* Every second while it is paused: write something that means nothing. The leaving of a client
     * hides behind the bytes that are not read, until it is sent some. */
    void (*on_probe)(void *arg);
    /* The last call. */
    void (*on_closed)(void *arg);
} tunnel_events_t;

typedef struct tunnel_config {
    int fd; /* the client's socket */
    /* As recv() and send() without blocking; take io_arg. */
    ssize_t (*receive)(void *io_arg, void *bytes, size_t size);
    ssize_t (*send)(void *io_arg, const void *bytes, size_t size);
    void *io_arg;
    /* Closes the socket; the last thing the tunnel does. */
    void (*close)(void *arg);
    void *arg;
} tunnel_config_t;

/* The first bytes have been read with the request already. */
tunnel_t *tunnel_new(ev_t *ev, const tunnel_config_t *config, const void *first, size_t first_size);

/* Who uses it from now on. */
void tunnel_begin(tunnel_t *self, const tunnel_events_t *events, void *arg);

void tunnel_write(tunnel_t *self, const void *bytes, size_t size);
/* Bytes written but not sent. */
size_t tunnel_pending(const tunnel_t *self);
/* Takes no bytes from the client for a while; its leaving is still seen. */
void tunnel_pause(tunnel_t *self, bool is_paused);
/* Sends what was written, and closes when the client has gone or does not go. */
void tunnel_end(tunnel_t *self);
/* Closes at once; on_closed is called from within. */
void tunnel_close(tunnel_t *self);

#endif
