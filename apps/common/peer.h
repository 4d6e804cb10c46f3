/* peer - HTTP requests to one address over connections that are kept alive and shared by threads.
 *
 * A request that meets a dead kept connection (the other pod was replaced) is sent once more on a
 * new one, if no byte of an answer had come. */
#ifndef APPS_COMMON_PEER_H
#define APPS_COMMON_PEER_H

#include "apps/common/http_reply.h"
#include "base/err.h"

typedef struct peer peer_t;

typedef struct peer_message {
    const char *path;
    const char *headers; /* more header lines, each ending in CR LF; or "" */
    const char *body;    /* JSON */
    size_t body_size;
} peer_message_t;

/* address is "host:port", looked up anew for each connection, and copied. */
peer_t *peer_new(const char *address, int timeout_ms);
void peer_destroy(peer_t **self_p);

const char *peer_address(const peer_t *self);

/* Posts the message and reads the answer, whatever its status, into *reply (initialised by the
 * caller). Fails with -ERR_UNAVAILABLE if nobody answers at the address, -ERR_TIMEOUT if not within
 * the time, -ERR_IO if what answers does not speak HTTP; *err names the address. */
int peer_post(peer_t *self, const peer_message_t *message, http_reply_t *reply, err_t *err);

#endif
