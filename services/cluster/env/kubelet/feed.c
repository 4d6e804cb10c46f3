#include "services/cluster/env/kubelet/feed.h"

#include "base/mem.h"
#include "services/cluster/env/api/buffer.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

struct feed {
    ev_t *ev; /* borrowed */
    int fd;   /* -1: closed */
    buffer_t pending;
    bool is_ended;
    bool was_full;
    void (*on_room)(void *arg);
    void *arg;
};

static void close_fd(feed_t *self)
{
    if (self->fd < 0)
        return;
    ev_fd_end(self->ev, self->fd);
    (void)shutdown(self->fd, SHUT_WR); /* fails for all but sockets */
    close(self->fd);
    self->fd = -1;
    buffer_done(&self->pending);
}

static void on_writable(void *arg, int fd, uint32_t events);

/* Writes what goes now. Nobody reading it any more is no error: the rest is dropped. */
static void flush(feed_t *self)
{
    while (self->fd >= 0 && buffer_left(&self->pending)) {
        ssize_t size = write(
            self->fd, self->pending.bytes + self->pending.offset, buffer_left(&self->pending));
        if (size > 0)
            buffer_skip(&self->pending, (size_t)size);
        else if (errno == EAGAIN)
            break;
        else
            close_fd(self);
    }
    if (self->fd < 0)
        return;
    if (buffer_left(&self->pending))
        ev_fd(self->ev, self->fd, EPOLLOUT, on_writable, self);
    else if (self->is_ended)
        close_fd(self);
    else
        ev_fd_end(self->ev, self->fd);
}

static void on_writable(void *arg, int fd, uint32_t events)
{
    feed_t *self = arg;
    (void)fd;
    (void)events;
    flush(self);
    if (!self->was_full || feed_is_full(self))
        return;
    self->was_full = false;
    if (self->on_room)
        self->on_room(self->arg);
}

feed_t *feed_new(ev_t *ev, int fd, void (*on_room)(void *arg), void *arg)
{
    feed_t *self = xcalloc(1, sizeof(*self));
    *self = (feed_t){.ev = ev, .fd = fd, .on_room = on_room, .arg = arg};
    return self;
}

void feed_destroy(feed_t **self_p)
{
    feed_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    close_fd(self);
    free(self);
}

void feed_write(feed_t *self, const void *bytes, size_t size)
{
    if (self->fd < 0 || self->is_ended)
        return;
    bool was_empty = !buffer_left(&self->pending);
    buffer_add(&self->pending, bytes, size);
    if (was_empty)
        flush(self);
    if (feed_is_full(self))
        self->was_full = true;
}

bool feed_is_full(const feed_t *self)
{
    return buffer_left(&self->pending) >= FEED_FULL;
}

void feed_end(feed_t *self)
{
    self->is_ended = true;
    flush(self);
}
