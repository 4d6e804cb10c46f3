/* http_upgrade - the answer 101, and the connection in our hands after it. */
#ifndef CLUSTER_ENV_API_HTTP_UPGRADE_H
#define CLUSTER_ENV_API_HTTP_UPGRADE_H

#include "services/cluster/env/api/request.h"

#include "base/ev.h"

#include <microhttpd.h>

typedef struct http_upgrade http_upgrade_t;

/* upgrade is borrowed, as the client's socket is. on_closed is called when the connection's end is
 * up to the library again, which must then run. */
http_upgrade_t *http_upgrade_new(
    ev_t *ev, upgrade_t *upgrade, int client_fd, void (*on_closed)(void *arg), void *arg);
/* After its connection. */
void http_upgrade_destroy(http_upgrade_t **self_p);

/* For MHD_queue_response(). */
struct MHD_Response *http_upgrade_response(http_upgrade_t *self);

/* Closes the connection now, if it is open; NULL-safe. */
void http_upgrade_close(http_upgrade_t *self);

#endif
