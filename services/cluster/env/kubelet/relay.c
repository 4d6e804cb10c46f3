#include "services/cluster/env/kubelet/relay.h"

#include "base/mem.h"
#include "services/cluster/env/kubelet/feed.h"
#include "services/cluster/runtime/terminal.h"

#include <errno.h>
#include <unistd.h>

enum {
    READ_SIZE = 32 << 10,
    DRAIN_TURNS = 64, /* a pipe holds less; others may write for ever */
};

struct relay {
    ev_t *ev;              /* borrowed */
    node_stream_t *stream; /* borrowed */
    feed_t *input;         /* NULL: none */
    int out;               /* -1: at its end */
    int err;
    bool is_held; /* nothing is read until there is room */
    void (*on_output_end)(void *arg);
    void *arg;
};

/* ---- output --------------------------------------------------------------------------------- */

static void close_one(relay_t *self, int *fd_p)
{
    if (*fd_p < 0)
        return;
    ev_fd_end(self->ev, *fd_p);
    close(*fd_p);
    *fd_p = -1;
}

static void on_readable(void *arg, int fd, uint32_t events);

static void watch(relay_t *self)
{
    int fds[] = {self->out, self->err};
    for (size_t i = 0; i < 2; i++) {
        if (fds[i] >= 0 && self->is_held)
            ev_fd_end(self->ev, fds[i]);
        else if (fds[i] >= 0)
            ev_fd(self->ev, fds[i], EPOLLIN, on_readable, self);
    }
}

/* Returns false at the end, or when there is nothing now. */
static bool pass_on(relay_t *self, int *fd_p)
{
    char bytes[READ_SIZE];
    ssize_t size = read(*fd_p, bytes, sizeof(bytes));
    if (size > 0) {
        node_stream_write(self->stream,
            fd_p == &self->err ? NODE_STREAM_ERRORS : NODE_STREAM_OUTPUT, bytes, (size_t)size);
        return true;
    }
    if (size == 0 || errno != EAGAIN) /* EIO: a terminal that nobody has open any more */
        close_one(self, fd_p);
    return false;
}

static void on_readable(void *arg, int fd, uint32_t events)
{
    relay_t *self = arg;
    (void)events;
    pass_on(self, fd == self->err ? &self->err : &self->out);
    if (self->out < 0 && self->err < 0) {
        self->on_output_end(self->arg);
        return;
    }
    if (node_stream_pending(self->stream) < NODE_STREAM_FULL)
        return;
    self->is_held = true;
    watch(self);
}

void relay_room(relay_t *self)
{
    self->is_held = false;
    watch(self);
}

void relay_drain(relay_t *self)
{
    int *fds[] = {&self->out, &self->err};
    for (size_t i = 0; i < 2; i++) {
        for (int turn = 0; *fds[i] >= 0 && turn < DRAIN_TURNS && pass_on(self, fds[i]); turn++)
            continue;
        close_one(self, fds[i]);
    }
}

/* ---- input ---------------------------------------------------------------------------------- */

static void on_input_room(void *arg)
{
    relay_t *self = arg;
    node_stream_pause(self->stream, false);
}

void relay_input(relay_t *self, const void *bytes, size_t size)
{
    if (!self->input)
        return;
    feed_write(self->input, bytes, size);
    if (feed_is_full(self->input))
        node_stream_pause(self->stream, true);
}

void relay_input_end(relay_t *self)
{
    if (self->input)
        feed_end(self->input);
}

void relay_resize(relay_t *self, int columns, int rows)
{
    if (self->out >= 0)
        terminal_resize(self->out, columns, rows);
}

/* ---- life cycle ----------------------------------------------------------------------------- */

relay_t *relay_new(ev_t *ev, node_stream_t *stream, const streams_t *streams,
    void (*on_output_end)(void *arg), void *arg)
{
    relay_t *self = xcalloc(1, sizeof(*self));
    *self = (relay_t){.ev = ev,
        .stream = stream,
        .out = streams->out,
        .err = streams->err,
        .on_output_end = on_output_end,
        .arg = arg};
    if (streams->in >= 0)
        self->input = feed_new(ev, streams->in, on_input_room, self);
    watch(self);
    return self;
}

void relay_destroy(relay_t **self_p)
{
    relay_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    feed_destroy(&self->input);
    close_one(self, &self->out);
    close_one(self, &self->err);
    free(self);
}
