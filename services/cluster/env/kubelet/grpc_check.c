#include "services/cluster/env/kubelet/grpc_check.h"

#include "base/mem.h"
#include "services/cluster/env/kubelet/grpc_health.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 4096 };

struct grpc_check {
    ev_t *ev; /* borrowed */
    int fd;
    int timer;
    bool is_asked;
    char *authority;
    char *service;
    int64_t timeout_ms;
    grpc_check_fn *fn;
    void *arg;
    grpc_answer_t answer;
};

/* fn may destroy the check, so it comes last. */
static void finish(grpc_check_t *self, bool is_well, const char *reason)
{
    ev_fd_end(self->ev, self->fd);
    ev_cancel(self->ev, self->timer);
    self->timer = 0;
    self->fn(self->arg, is_well, reason);
}

static void fail_to_connect(grpc_check_t *self)
{
    char reason[256];
    snprintf(reason, sizeof(reason),
        "timeout: failed to connect service \"%s\" within %llds: context deadline exceeded",
        self->authority, (long long)self->timeout_ms / 1000);
    finish(self, false, reason);
}

static void on_timeout(void *arg)
{
    grpc_check_t *self = arg;
    self->timer = 0;
    if (self->is_asked)
        finish(self, false, "timeout: health rpc did not complete within the timeout");
    else
        fail_to_connect(self);
}

static void on_answered(grpc_check_t *self)
{
    const char *status = grpc_answer_status(&self->answer);
    char reason[128];
    bool is_well = status && strcmp(status, "SERVING") == 0;
    if (status)
        snprintf(reason, sizeof(reason), "service unhealthy (responded with \"%s\")", status);
    else
        snprintf(reason, sizeof(reason), "error: health rpc probe failed: no health status");
    finish(self, is_well, reason);
}

static void on_input(void *arg, int fd, uint32_t events)
{
    (void)events;
    grpc_check_t *self = arg;
    uint8_t piece[PIECE];
    uint8_t reply[PIECE + 32];
    ssize_t size = recv(fd, piece, sizeof(piece), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    size_t reply_size = size > 0 ? grpc_answer_feed(&self->answer, piece, (size_t)size, reply) : 0;
    if (reply_size) /* a server that misses it will hang up, which is an answer, too */
        (void)send(fd, reply, reply_size, MSG_NOSIGNAL);
    if (size <= 0 || self->answer.is_over)
        on_answered(self);
}

static void on_connected(void *arg, int fd, uint32_t events)
{
    (void)events;
    grpc_check_t *self = arg;
    size_t size = 0;
    uint8_t *question = grpc_health_question(self->authority, self->service, &size);
    ssize_t sent = send(fd, question, size, MSG_NOSIGNAL);
    free(question);
    if (sent != (ssize_t)size) { /* refused, or gone; it fits into an empty socket */
        fail_to_connect(self);
        return;
    }
    self->is_asked = true;
    ev_fd(self->ev, fd, EPOLLIN, on_input, self);
}

grpc_check_t *grpc_check_new(ev_t *ev, const char *address, int port, const char *service,
    int64_t timeout_ms, grpc_check_fn *fn, void *arg)
{
    grpc_check_t *self = xcalloc(1, sizeof(*self));
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {inet_addr(address)}};
    *self = (grpc_check_t){.ev = ev,
        .fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
        .authority = xasprintf("%s:%d", address, port),
        .service = xstrdup(service),
        .timeout_ms = timeout_ms,
        .fn = fn,
        .arg = arg};
    self->timer = ev_after(ev, timeout_ms, on_timeout, self);
    if (self->fd < 0)
        return self;                                             /* the timeout tells */
    (void)connect(self->fd, (struct sockaddr *)&to, sizeof(to)); /* sending tells */
    ev_fd(ev, self->fd, EPOLLOUT, on_connected, self);
    return self;
}

void grpc_check_destroy(grpc_check_t **self_p)
{
    grpc_check_t *self = *self_p;
    if (!self)
        return;
    ev_cancel(self->ev, self->timer);
    if (self->fd >= 0) {
        ev_fd_end(self->ev, self->fd);
        close(self->fd);
    }
    free(self->authority);
    free(self->service);
    free(self);
    *self_p = NULL;
}
