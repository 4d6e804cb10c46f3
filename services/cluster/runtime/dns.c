#include "services/cluster/runtime/dns.h"

#include "base/auto.h"
#include "base/mem.h"

#include <czmq.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORT = 53, BACKLOG = 32, CALLER_LIMIT = 64, IDLE_MS = 10000, LENGTH_SIZE = 2 };

struct dns {
    ev_t *ev; /* borrowed */
    int udp_fd;
    int tcp_fd;
    dns_lookup_fn *lookup;
    void *arg;
    zlistx_t *callers; /* caller_t, owned */
    uint8_t reply[LENGTH_SIZE + DNS_MESSAGE_LIMIT];
};

/* A connection: queries one after the other, each with its length in front. */
typedef struct caller {
    dns_t *dns;
    void *place; /* in callers */
    int fd;
    int timer;
    uint8_t query[LENGTH_SIZE + DNS_MESSAGE_LIMIT];
    size_t query_size;
} caller_t;

static int bind_to(int type, struct in_addr address)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = address, .sin_port = htons(PORT)};
    int one = 1;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0
        && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0
        && (type == SOCK_DGRAM || listen(fd, BACKLOG) == 0))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* ---- UDP --------------------------------------------------------------------------------------
 */

static void on_datagram(void *arg, int fd, uint32_t events)
{
    (void)events;
    dns_t *self = arg;
    uint8_t query[DNS_DATAGRAM_LIMIT];
    struct sockaddr_in from;
    socklen_t from_size = sizeof(from);
    ssize_t size = recvfrom(fd, query, sizeof(query), 0, (struct sockaddr *)&from, &from_size);
    if (size <= 0)
        return;
    size_t reply_size = dns_reply(query, (size_t)size, true, self->lookup, self->arg, self->reply);
    if (reply_size) /* who asked asks again if this is lost */
        (void)sendto(fd, self->reply, reply_size, 0, (struct sockaddr *)&from, from_size);
}

/* ---- TCP --------------------------------------------------------------------------------------
 */

static void caller_destroy(caller_t **self_p)
{
    caller_t *self = *self_p;
    ev_cancel(self->dns->ev, self->timer);
    ev_fd_end(self->dns->ev, self->fd);
    close(self->fd);
    free(self);
    *self_p = NULL;
}

static void on_idle(void *arg)
{
    caller_t *self = arg;
    self->timer = 0;
    (void)zlistx_delete(self->dns->callers, self->place);
}

/* Answers the query at the front; false when there is no whole one, or the caller must go: one that
 * does not take its answers has room for many in its socket. */
static bool answer_next(caller_t *self, bool *is_gone_p)
{
    dns_t *dns = self->dns;
    size_t size =
        self->query_size < LENGTH_SIZE ? 0 : (size_t)(self->query[0] << 8 | self->query[1]);
    if (self->query_size < LENGTH_SIZE + size)
        return false;
    size_t reply_size = dns_reply(
        self->query + LENGTH_SIZE, size, false, dns->lookup, dns->arg, dns->reply + LENGTH_SIZE);
    dns->reply[0] = (uint8_t)(reply_size >> 8);
    dns->reply[1] = (uint8_t)reply_size;
    size_t whole = LENGTH_SIZE + reply_size;
    *is_gone_p = !reply_size || send(self->fd, dns->reply, whole, MSG_NOSIGNAL) != (ssize_t)whole;
    self->query_size -= LENGTH_SIZE + size;
    memmove(self->query, self->query + LENGTH_SIZE + size, self->query_size);
    return !*is_gone_p;
}

static void on_stream(void *arg, int fd, uint32_t events)
{
    (void)events;
    caller_t *self = arg;
    bool is_gone = false;
    ssize_t size =
        recv(fd, self->query + self->query_size, sizeof(self->query) - self->query_size, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    self->query_size += size > 0 ? (size_t)size : 0;
    while (size > 0 && answer_next(self, &is_gone))
        continue;
    if (size <= 0 || is_gone) {
        (void)zlistx_delete(self->dns->callers, self->place);
        return;
    }
    ev_cancel(self->dns->ev, self->timer);
    self->timer = ev_after(self->dns->ev, IDLE_MS, on_idle, self);
}

static void on_caller(void *arg, int fd, uint32_t events)
{
    (void)events;
    dns_t *self = arg;
    int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (accepted < 0)
        return;
    if (zlistx_size(self->callers) >= CALLER_LIMIT) {
        close(accepted);
        return;
    }
    caller_t *caller = xcalloc(1, sizeof(*caller));
    *caller = (caller_t){.dns = self, .fd = accepted};
    caller->place = zlistx_add_end(self->callers, caller);
    caller->timer = ev_after(self->ev, IDLE_MS, on_idle, caller);
    ev_fd(self->ev, accepted, EPOLLIN, on_stream, caller);
}

/* ---- life cycle -------------------------------------------------------------------------------
 */

dns_t *dns_new(ev_t *ev, struct in_addr address, dns_lookup_fn *lookup, void *arg, err_t *err)
{
    AUTO(dns_destroy) dns_t *self = xcalloc(1, sizeof(*self));
    self->ev = ev;
    self->lookup = lookup;
    self->arg = arg;
    self->callers = zlistx_new();
    zlistx_set_destructor(self->callers, (czmq_destructor *)caller_destroy);
    self->udp_fd = bind_to(SOCK_DGRAM, address);
    self->tcp_fd = bind_to(SOCK_STREAM, address);
    if (self->udp_fd < 0 || self->tcp_fd < 0) {
        err_set(err, ERR_IO, "cannot serve DNS: %s", strerror(errno));
        return NULL;
    }
    ev_fd(ev, self->udp_fd, EPOLLIN, on_datagram, self);
    ev_fd(ev, self->tcp_fd, EPOLLIN, on_caller, self);
    return TAKE(self);
}

static void close_socket(dns_t *self, int fd)
{
    if (fd < 0)
        return;
    ev_fd_end(self->ev, fd);
    close(fd);
}

void dns_destroy(dns_t **self_p)
{
    dns_t *self = *self_p;
    if (!self)
        return;
    zlistx_destroy(&self->callers);
    close_socket(self, self->udp_fd);
    close_socket(self, self->tcp_fd);
    free(self);
    *self_p = NULL;
}
