/* http - libmicrohttpd on the event loop: sockets in, requests out, answers back. */
#ifndef CLUSTER_ENV_API_HTTP_H
#define CLUSTER_ENV_API_HTTP_H

#include "services/cluster/env/api/request.h"

#include "base/err.h"
#include "base/ev.h"

typedef struct http_server http_server_t;

/* Called for each complete request; it must be answered, now or later. */
typedef void(http_handle_fn)(void *arg, request_t *request);

typedef struct http_tls {
    const char *cert_pem; /* NULL: plain HTTP */
    const char *key_pem;
    const char *client_ca_pem; /* of certificates that clients may show, or NULL */
} http_tls_t;

/* Serves one listening socket, which it closes in the end. */
http_server_t *http_server_new(ev_t *ev, int listen_fd, const http_tls_t *tls, err_t *err);
void http_server_handle(http_server_t *self, http_handle_fn *handle, void *arg);
/* Ends all connections; streams and waiting requests are told. */
void http_server_destroy(http_server_t **self_p);

#endif
