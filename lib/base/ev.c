#include "base/ev.h"

#include "base/ev_ops.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

void ev_destroy(ev_t **self_p)
{
    ev_t *self = *self_p;
    if (!self)
        return;
    if (self->signal_fd >= 0)
        close(self->signal_fd);
    self->ops->destroy(self_p);
}

int64_t ev_now(ev_t *self)
{
    return self->ops->now(self);
}

void ev_reader(ev_t *self, zsock_t *sock, ev_reader_fn *fn, void *arg)
{
    self->ops->reader(self, sock, fn, arg);
}

void ev_reader_end(ev_t *self, zsock_t *sock)
{
    self->ops->reader_end(self, sock);
}

void ev_fd(ev_t *self, int fd, uint32_t events, ev_fd_fn *fn, void *arg)
{
    self->ops->fd(self, fd, events, fn, arg);
}

void ev_fd_end(ev_t *self, int fd)
{
    self->ops->fd_end(self, fd);
}

int ev_after(ev_t *self, int64_t delay_ms, ev_timer_fn *fn, void *arg)
{
    return self->ops->after(self, delay_ms, fn, arg);
}

void ev_cancel(ev_t *self, int timer_id)
{
    self->ops->cancel(self, timer_id);
}

void ev_run(ev_t *self)
{
    self->ops->run(self);
}

void ev_stop(ev_t *self)
{
    self->ops->stop(self);
}

static void on_signal(void *arg, int fd, uint32_t events)
{
    (void)events;
    struct signalfd_siginfo info;
    if (read(fd, &info, sizeof(info)) > 0)
        ev_stop(arg);
}

void ev_stop_on_signals(ev_t *self)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    self->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    ev_fd(self, self->signal_fd, EPOLLIN, on_signal, self);
}
