/* http - libmicrohttpd on the event loop: sockets in, requests out, answers back. */
#ifndef CLUSTER_ENV_API_HTTP_H
#define CLUSTER_ENV_API_HTTP_H

#include "services/cluster/env/api/request.h"

#include "base/err.h"
#include "base/ev.h"

typedef struct http_server http_server_t;

/* Called for each complete request; it must be answered, now or later. */
typedef void(http_handle_fn)(void *arg, request_t *request);

/* Serves one listening socket, which it closes in the end. TLS if cert_pem is not NULL. */
http_server_t *http_server_new(
    ev_t *ev, int listen_fd, const char *cert_pem, const char *key_pem, err_t *err);
void http_server_handle(http_server_t *self, http_handle_fn *handle, void *arg);
/* Ends all connections; streams and waiting requests are told. */
void http_server_destroy(http_server_t **self_p);

#endif
