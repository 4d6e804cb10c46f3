/* The end is slow on purpose: a socket that is closed with unread bytes in it is reset, and takes
 * away from the client what it has not read yet. So the client is left to go first. */
#include "services/cluster/env/api/tunnel.h"

#include "services/cluster/env/api/buffer.h"

#include "base/mem.h"

#include <errno.h>

enum {
    READ_SIZE = 64 << 10,
    LINGER_MS = 5000,
    PROBE_MS = 1000,
    PENDING_MOST = 4 * TUNNEL_FULL, /* beyond, who asks for answers without reading them waits */
};

struct tunnel {
    ev_t *ev; /* borrowed */
    tunnel_config_t config;
    const tunnel_events_t *events; /* borrowed */
    void *arg;
    buffer_t first; /* bytes that came before the user */
    buffer_t pending;
    int timer; /* for the first bytes, and for lingering */
    int probe_timer;
    uint32_t watched; /* events */
    bool is_paused;
    bool is_full;
    bool is_ended;
};

static void on_ready(void *arg, int fd, uint32_t events);

static void watch(tunnel_t *self)
{
    uint32_t events = EPOLLRDHUP;
    if (!self->is_paused && !buffer_left(&self->first)
        && buffer_left(&self->pending) < PENDING_MOST)
        events |= EPOLLIN;
    if (buffer_left(&self->pending))
        events |= EPOLLOUT;
    if (events != self->watched)
        ev_fd(self->ev, self->config.fd, events, on_ready, self);
    self->watched = events;
}

void tunnel_close(tunnel_t *self)
{
    ev_fd_end(self->ev, self->config.fd);
    ev_cancel(self->ev, self->timer);
    ev_cancel(self->ev, self->probe_timer);
    if (self->events)
        self->events->on_closed(self->arg);
    self->config.close(self->config.arg);
    buffer_done(&self->first);
    buffer_done(&self->pending);
    free(self);
}

static void on_linger_over(void *arg)
{
    tunnel_t *self = arg;
    self->timer = 0;
    tunnel_close(self);
}

/* ---- both ways ------------------------------------------------------------------------------ */

static void linger_if_done(tunnel_t *self)
{
    if (self->is_ended && !self->timer && !buffer_left(&self->pending))
        self->timer = ev_after(self->ev, LINGER_MS, on_linger_over, self);
}

/* Returns false when the client is gone. */
static bool send_pending(tunnel_t *self)
{
    while (buffer_left(&self->pending)) {
        ssize_t sent = self->config.send(self->config.io_arg,
            self->pending.bytes + self->pending.offset, buffer_left(&self->pending));
        if (sent < 0)
            return errno == EAGAIN || errno == EINTR;
        buffer_skip(&self->pending, (size_t)sent);
    }
    return true;
}

static void tell_room(tunnel_t *self)
{
    if (!self->is_full || buffer_left(&self->pending) >= TUNNEL_FULL)
        return;
    self->is_full = false;
    if (!self->is_ended)
        self->events->on_room(self->arg);
}

static void take(tunnel_t *self, const void *bytes, size_t size)
{
    if (!self->is_ended)
        self->events->on_bytes(self->arg, bytes, size);
}

/* Returns false when the client is gone. */
static bool receive(tunnel_t *self)
{
    char bytes[READ_SIZE];
    ssize_t size = self->config.receive(self->config.io_arg, bytes, sizeof(bytes));
    if (size > 0)
        take(self, bytes, (size_t)size);
    return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

static void on_ready(void *arg, int fd, uint32_t events)
{
    tunnel_t *self = arg;
    (void)fd;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) || !send_pending(self)) {
        tunnel_close(self);
        return;
    }
    tell_room(self);
    linger_if_done(self);
    if ((events & EPOLLIN) && !self->is_paused && !receive(self)) {
        tunnel_close(self);
        return;
    }
    watch(self);
}

/* TLS may have unpacked bytes already that the socket does not tell of. */
static void on_first(void *arg)
{
    tunnel_t *self = arg;
    self->timer = 0;
    buffer_t first = self->first;
    self->first = (buffer_t){0};
    if (first.size)
        take(self, first.bytes, first.size);
    buffer_done(&first);
    if (!self->is_paused && !receive(self))
        tunnel_close(self);
    else
        watch(self);
}

/* ---- the user's side ------------------------------------------------------------------------ */

tunnel_t *tunnel_new(ev_t *ev, const tunnel_config_t *config, const void *first, size_t first_size)
{
    tunnel_t *self = xcalloc(1, sizeof(*self));
    self->ev = ev;
    self->config = *config;
    buffer_add(&self->first, first, first_size);
    return self;
}

void tunnel_begin(tunnel_t *self, const tunnel_events_t *events, void *arg)
{
    self->events = events;
    self->arg = arg;
    self->timer = ev_after(self->ev, 0, on_first, self);
    watch(self);
}

/* Sent from the loop: the user need not expect its own end in the middle of a write. */
void tunnel_write(tunnel_t *self, const void *bytes, size_t size)
{
    buffer_add(&self->pending, bytes, size);
    if (buffer_left(&self->pending) >= TUNNEL_FULL)
        self->is_full = true;
    watch(self);
}

size_t tunnel_pending(const tunnel_t *self)
{
    return buffer_left(&self->pending);
}

static void on_probe_due(void *arg)
{
    tunnel_t *self = arg;
    self->probe_timer = ev_after(self->ev, PROBE_MS, on_probe_due, self);
    if (!buffer_left(&self->pending))
        self->events->on_probe(self->arg);
}

static void set_paused(tunnel_t *self, bool is_paused)
{
    self->is_paused = is_paused;
    ev_cancel(self->ev, self->probe_timer);
    self->probe_timer = is_paused ? ev_after(self->ev, PROBE_MS, on_probe_due, self) : 0;
}

void tunnel_pause(tunnel_t *self, bool is_paused)
{
    if (self->is_paused == is_paused || self->is_ended)
        return;
    set_paused(self, is_paused);
    watch(self);
}

void tunnel_end(tunnel_t *self)
{
    if (self->is_ended)
        return;
    self->is_ended = true;
    set_paused(self, false);
    ev_cancel(self->ev, self->timer);
    self->timer = 0;
    buffer_done(&self->first);
    linger_if_done(self);
    watch(self);
}
