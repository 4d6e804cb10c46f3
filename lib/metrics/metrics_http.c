/* A scrape is one short request and one answer, so a connection gets one of each and is closed.
 * What a peer can make us hold is bounded: so many connections, so many bytes, so many
 * milliseconds. */
#include "metrics/metrics_http.h"

#include "base/auto.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTION_LIMIT = 16, REQUEST_LIMIT = 4096, PATIENCE_MS = 5000 };

typedef struct connection {
    metrics_http_t *server;
    int fd; /* -1: free */
    int timer_id;
    size_t used;
    char request[REQUEST_LIMIT + 1];
    char *answer; /* NULL while reading */
    size_t answer_size;
    size_t sent;
} connection_t;

struct metrics_http {
    ev_t *ev;           /* borrowed */
    metrics_t *metrics; /* borrowed */
    int fd;
    int port;
    connection_t connections[CONNECTION_LIMIT];
};

static void connection_close(connection_t *self)
{
    ev_fd_end(self->server->ev, self->fd);
    ev_cancel(self->server->ev, self->timer_id);
    close(self->fd);
    free(self->answer);
    *self = (connection_t){.server = self->server, .fd = -1};
}

static void on_impatience(void *arg)
{
    connection_t *self = arg;
    self->timer_id = 0;
    connection_close(self);
}

static void on_writable(void *arg, int fd, uint32_t events)
{
    (void)events;
    connection_t *self = arg;
    ssize_t rc = send(fd, self->answer + self->sent, self->answer_size - self->sent, MSG_NOSIGNAL);
    if (rc < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (rc > 0)
        self->sent += (size_t)rc;
    if (rc <= 0 || self->sent == self->answer_size)
        connection_close(self);
}

static char *answer_to(const char *request, metrics_t *metrics)
{
    bool is_metrics =
        strncmp(request, "GET /metrics ", 13) == 0 || strncmp(request, "GET /metrics?", 13) == 0;
    AUTO_FREE char *body =
        is_metrics ? metrics_text(metrics) : xstrdup("only GET /metrics is answered here\n");
    return xasprintf("HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4\r\n"
                     "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
        is_metrics ? "200 OK" : "404 Not Found", strlen(body), body);
}

static void on_readable(void *arg, int fd, uint32_t events)
{
    (void)events;
    connection_t *self = arg;
    ssize_t rc = recv(fd, self->request + self->used, REQUEST_LIMIT - self->used, 0);
    if (rc < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (rc <= 0) {
        connection_close(self);
        return;
    }
    self->used += (size_t)rc;
    self->request[self->used] = '\0';
    if (strstr(self->request, "\r\n\r\n")) {
        self->answer = answer_to(self->request, self->server->metrics);
        self->answer_size = strlen(self->answer);
        ev_fd(self->server->ev, fd, EPOLLOUT, on_writable, self);
    } else if (self->used == REQUEST_LIMIT) {
        connection_close(self);
    }
}

static connection_t *connection_free(metrics_http_t *self)
{
    for (size_t i = 0; i < CONNECTION_LIMIT; i++) {
        if (self->connections[i].fd < 0)
            return &self->connections[i];
    }
    return NULL;
}

static void on_connect(void *arg, int listen_fd, uint32_t events)
{
    (void)events;
    metrics_http_t *self = arg;
    int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    connection_t *connection = connection_free(self);
    if (!connection) {
        close(fd);
        return;
    }
    connection->fd = fd;
    connection->timer_id = ev_after(self->ev, PATIENCE_MS, on_impatience, connection);
    ev_fd(self->ev, fd, EPOLLIN, on_readable, connection);
}

static int parse_address(const char *text, struct sockaddr_in *address)
{
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const char *colon = strrchr(text, ':');
    char *end = NULL;
    unsigned long port = strtoul(colon ? colon + 1 : text, &end, 10);
    if (*end || end == text || port > UINT16_MAX)
        return -1;
    address->sin_port = htons((uint16_t)port);
    AUTO_FREE char *host = colon ? xstrndup(text, (size_t)(colon - text)) : NULL;
    return host && inet_pton(AF_INET, host, &address->sin_addr) != 1 ? -1 : 0;
}

static int open_listener(metrics_http_t *self, struct sockaddr_in *address)
{
    int one = 1;
    socklen_t size = sizeof(*address);
    self->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)setsockopt(self->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)); /* a comfort only */
    if (self->fd < 0 || bind(self->fd, (struct sockaddr *)address, size) < 0
        || listen(self->fd, CONNECTION_LIMIT) < 0
        || getsockname(self->fd, (struct sockaddr *)address, &size) < 0)
        return -1;
    self->port = ntohs(address->sin_port);
    return 0;
}

metrics_http_t *metrics_http_new(ev_t *ev, metrics_t *metrics, const char *address, err_t *err)
{
    struct sockaddr_in parsed;
    if (parse_address(address, &parsed) < 0) {
        err_set(err, ERR_INVALID, "metrics address '%s' is not PORT or HOST:PORT", address);
        return NULL;
    }
    AUTO(metrics_http_destroy) metrics_http_t *self = xcalloc(1, sizeof(*self));
    *self = (metrics_http_t){.ev = ev, .metrics = metrics, .fd = -1};
    for (size_t i = 0; i < CONNECTION_LIMIT; i++)
        self->connections[i] = (connection_t){.server = self, .fd = -1};
    if (open_listener(self, &parsed) < 0) {
        err_set(err, ERR_IO, "cannot listen on '%s' for metrics: %s", address, strerror(errno));
        return NULL;
    }
    ev_fd(ev, self->fd, EPOLLIN, on_connect, self);
    return TAKE(self);
}

void metrics_http_destroy(metrics_http_t **self_p)
{
    metrics_http_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < CONNECTION_LIMIT; i++) {
        if (self->connections[i].fd >= 0)
            connection_close(&self->connections[i]);
    }
    if (self->fd >= 0) {
        ev_fd_end(self->ev, self->fd);
        close(self->fd);
    }
    free(self);
    *self_p = NULL;
}

int metrics_http_port(const metrics_http_t *self)
{
    return self->port;
}
