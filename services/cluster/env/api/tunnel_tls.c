#include "services/cluster/env/api/tunnel_tls.h"

#include "base/mem.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>

struct tunnel_tls {
    gnutls_session_t session; /* borrowed */
    int fd;
    bool is_open;   /* the gate: during our own calls */
    bool is_resent; /* the record before is not through yet */
};

/* ---- what GnuTLS reads and writes records by --------------------------------------------------
 */

static ssize_t pull(gnutls_transport_ptr_t arg, void *bytes, size_t size)
{
    const tunnel_tls_t *self = arg;
    if (self && self->is_open)
        return recv(self->fd, bytes, size, MSG_DONTWAIT);
    errno = self ? EAGAIN : EPIPE;
    return -1;
}

static ssize_t push(gnutls_transport_ptr_t arg, const void *bytes, size_t size)
{
    const tunnel_tls_t *self = arg;
    if (self)
        return send(self->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    errno = EPIPE;
    return -1;
}

static int is_there_more(gnutls_transport_ptr_t arg, unsigned timeout_ms)
{
    (void)arg;
    (void)timeout_ms;
    return 1; /* pull() tells */
}

tunnel_tls_t *tunnel_tls_new(gnutls_session_t session, int fd)
{
    tunnel_tls_t *self = xcalloc(1, sizeof(*self));
    *self = (tunnel_tls_t){.session = session, .fd = fd};
    gnutls_transport_set_ptr(session, self);
    gnutls_transport_set_pull_function(session, pull);
    gnutls_transport_set_push_function(session, push);
    gnutls_transport_set_pull_timeout_function(session, is_there_more);
    return self;
}

void tunnel_tls_destroy(tunnel_tls_t **self_p)
{
    tunnel_tls_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    gnutls_transport_set_ptr(self->session, NULL);
    free(self);
}

/* ---- bytes ------------------------------------------------------------------------------------
 */

static ssize_t result_of(ssize_t rc)
{
    if (rc >= 0)
        return rc;
    bool is_passing = rc == GNUTLS_E_AGAIN || rc == GNUTLS_E_INTERRUPTED;
    errno = is_passing || !gnutls_error_is_fatal((int)rc) ? EAGAIN : EPIPE;
    return -1;
}

ssize_t tunnel_tls_receive(void *arg, void *bytes, size_t size)
{
    tunnel_tls_t *self = arg;
    self->is_open = true;
    ssize_t rc = gnutls_record_recv(self->session, bytes, size);
    self->is_open = false;
    return result_of(rc);
}

/* A record that did not go through is kept by GnuTLS, and is sent by a call without bytes. */
ssize_t tunnel_tls_send(void *arg, const void *bytes, size_t size)
{
    tunnel_tls_t *self = arg;
    self->is_open = true;
    ssize_t rc = gnutls_record_send(
        self->session, self->is_resent ? NULL : bytes, self->is_resent ? 0 : size);
    self->is_open = false;
    self->is_resent = rc == GNUTLS_E_AGAIN || rc == GNUTLS_E_INTERRUPTED;
    return result_of(rc);
}
