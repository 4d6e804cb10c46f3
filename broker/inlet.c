#include "broker/inlet.h"

#include <assert.h>
#include <zmq.h>

static void on_again(void *arg)
{
    inlet_t *self = arg;
    self->again_timer = 0;
    inlet_drain(self);
}

void inlet_drain(inlet_t *self)
{
    if (self->ev && self->drain(self->arg) && !self->again_timer)
        self->again_timer = ev_after(self->ev, 0, on_again, self);
}

static void on_ready(void *arg, int fd, uint32_t events)
{
    (void)fd, (void)events;
    inlet_drain(arg);
}

void inlet_open(inlet_t *self, ev_t *ev, void *socket, inlet_drain_fn *drain, void *arg)
{
    size_t size = sizeof(self->fd);
    *self = (inlet_t){.ev = ev, .drain = drain, .arg = arg};
    int rc = zmq_getsockopt(socket, ZMQ_FD, &self->fd, &size);
    assert(rc == 0);
    (void)rc;
    ev_fd(ev, self->fd, EPOLLIN, on_ready, self);
    self->again_timer = ev_after(ev, 0, on_again, self); /* for what came before */
}

void inlet_close(inlet_t *self)
{
    if (!self->ev)
        return;
    ev_fd_end(self->ev, self->fd);
    ev_cancel(self->ev, self->again_timer);
    self->ev = NULL;
}
