/* tunnel_tls - the TLS of a connection after its upgrade, in our own hands.
 *
 * libmicrohttpd would pass upgraded bytes on through a socket pair and what is left of the
 * connection's memory, which in many a release is eight bytes: at four bytes a turn nothing larger
 * than a keystroke gets through. So it is kept from the records: while the gate is shut, reading
 * them says that there is nothing. */
#ifndef CLUSTER_ENV_API_TUNNEL_TLS_H
#define CLUSTER_ENV_API_TUNNEL_TLS_H

#include <gnutls/gnutls.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct tunnel_tls tunnel_tls_t;

/* The session and the socket are borrowed. */
tunnel_tls_t *tunnel_tls_new(gnutls_session_t session, int fd);
/* Nobody can use the session any more. */
void tunnel_tls_destroy(tunnel_tls_t **self_p);

/* As recv() and send() of a socket that does not block; arg is a tunnel_tls_t. */
ssize_t tunnel_tls_receive(void *arg, void *bytes, size_t size);
ssize_t tunnel_tls_send(void *arg, const void *bytes, size_t size);

#endif
