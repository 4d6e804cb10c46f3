#include "services/cluster/env/api/http_upgrade.h"

#include "services/cluster/env/api/tunnel_tls.h"

#include "base/mem.h"

#include <sys/socket.h>

struct http_upgrade {
    ev_t *ev;           /* borrowed */
    upgrade_t *upgrade; /* borrowed */
    int fd;             /* the client's, borrowed */
    void (*on_closed)(void *arg);
    void *arg;
    tunnel_t *tunnel;  /* NULL unless open */
    tunnel_tls_t *tls; /* or NULL */
    struct MHD_UpgradeResponseHandle *end;
};

static ssize_t receive_plain(void *arg, void *bytes, size_t size)
{
    const http_upgrade_t *self = arg;
    return recv(self->fd, bytes, size, MSG_DONTWAIT);
}

static ssize_t send_plain(void *arg, const void *bytes, size_t size)
{
    const http_upgrade_t *self = arg;
    return send(self->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void on_tunnel_closed(void *arg)
{
    http_upgrade_t *self = arg;
    self->tunnel = NULL;
    tunnel_tls_destroy(&self->tls);
    MHD_upgrade_action(self->end, MHD_UPGRADE_ACTION_CLOSE);
    self->on_closed(self->arg);
}

static void on_upgraded(void *arg, struct MHD_Connection *connection, void *exchange,
    const char *first, size_t first_size, MHD_socket fd, struct MHD_UpgradeResponseHandle *end)
{
    http_upgrade_t *self = arg;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    (void)exchange;
    (void)fd; /* under TLS it is none of the client */
    self->end = end;
    self->tls = info ? tunnel_tls_new(info->tls_session, self->fd) : NULL;
    tunnel_config_t config = {.fd = self->fd,
        .receive = self->tls ? tunnel_tls_receive : receive_plain,
        .send = self->tls ? tunnel_tls_send : send_plain,
        .io_arg = self->tls ? (void *)self->tls : self,
        .close = on_tunnel_closed,
        .arg = self};
    self->tunnel = tunnel_new(self->ev, &config, first, first_size);
    self->upgrade->on_dropped = NULL;
    self->upgrade->on_open(self->upgrade->arg, self->tunnel);
}

struct MHD_Response *http_upgrade_response(http_upgrade_t *self)
{
    const upgrade_t *upgrade = self->upgrade;
    struct MHD_Response *response = MHD_create_response_for_upgrade(on_upgraded, self);
    MHD_add_response_header(response, "Upgrade", upgrade->to);
    MHD_add_response_header(response, upgrade->protocol_header, upgrade->protocol);
    if (upgrade->accept)
        MHD_add_response_header(response, "Sec-WebSocket-Accept", upgrade->accept);
    return response;
}

http_upgrade_t *http_upgrade_new(
    ev_t *ev, upgrade_t *upgrade, int client_fd, void (*on_closed)(void *arg), void *arg)
{
    http_upgrade_t *self = xcalloc(1, sizeof(*self));
    *self = (http_upgrade_t){
        .ev = ev, .upgrade = upgrade, .fd = client_fd, .on_closed = on_closed, .arg = arg};
    return self;
}

void http_upgrade_destroy(http_upgrade_t **self_p)
{
    free(*self_p);
    *self_p = NULL;
}

void http_upgrade_close(http_upgrade_t *self)
{
    if (self && self->tunnel)
        tunnel_close(self->tunnel);
}
