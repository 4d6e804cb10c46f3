#include "base/ev_ops.h"

#include <poll.h>
#include <stdlib.h>

typedef struct sim_reader {
    zsock_t *sock;
    ev_reader_fn *fn;
    void *arg;
} sim_reader_t;

typedef struct sim_fd {
    int fd;
    uint32_t events;
    ev_fd_fn *fn;
    void *arg;
} sim_fd_t;

typedef struct sim_timer {
    int id;
    int64_t due;
    ev_timer_fn *fn;
    void *arg;
} sim_timer_t;

typedef struct sim_ev {
    ev_t base;
    int64_t now;
    int last_timer_id;
    bool is_stopped;
    zlistx_t *readers; /* owns sim_reader_t, in order of registration */
    zlistx_t *fds;     /* owns sim_fd_t */
    zlistx_t *timers;  /* owns sim_timer_t, soonest first, then in order of registration */
} sim_ev_t;

static void item_destroy(void **item_p)
{
    free(*item_p);
    *item_p = NULL;
}

static int timer_compare(const void *a, const void *b)
{
    const sim_timer_t *left = a;
    const sim_timer_t *right = b;
    if (left->due != right->due)
        return left->due < right->due ? -1 : 1;
    return left->id - right->id;
}

static void sim_destroy(ev_t **self_p)
{
    sim_ev_t *self = (sim_ev_t *)*self_p;
    zlistx_destroy(&self->readers);
    zlistx_destroy(&self->fds);
    zlistx_destroy(&self->timers);
    free(self);
    *self_p = NULL;
}

static int64_t sim_now(ev_t *base)
{
    return ((sim_ev_t *)base)->now;
}

static void sim_reader(ev_t *base, zsock_t *sock, ev_reader_fn *fn, void *arg)
{
    sim_reader_t *reader = zmalloc(sizeof(*reader));
    *reader = (sim_reader_t){.sock = sock, .fn = fn, .arg = arg};
    zlistx_add_end(((sim_ev_t *)base)->readers, reader);
}

static void sim_reader_end(ev_t *base, zsock_t *sock)
{
    zlistx_t *readers = ((sim_ev_t *)base)->readers;
    for (sim_reader_t *r = zlistx_first(readers); r; r = zlistx_next(readers)) {
        if (r->sock == sock)
            zlistx_delete(readers, zlistx_cursor(readers));
    }
}

static void sim_fd_end(ev_t *base, int fd)
{
    zlistx_t *fds = ((sim_ev_t *)base)->fds;
    for (sim_fd_t *f = zlistx_first(fds); f; f = zlistx_next(fds)) {
        if (f->fd == fd)
            zlistx_delete(fds, zlistx_cursor(fds));
    }
}

static void sim_fd(ev_t *base, int fd, uint32_t events, ev_fd_fn *fn, void *arg)
{
    sim_fd_end(base, fd);
    sim_fd_t *watch = zmalloc(sizeof(*watch));
    *watch = (sim_fd_t){.fd = fd, .events = events, .fn = fn, .arg = arg};
    zlistx_add_end(((sim_ev_t *)base)->fds, watch);
}

static int sim_after(ev_t *base, int64_t delay_ms, ev_timer_fn *fn, void *arg)
{
    sim_ev_t *self = (sim_ev_t *)base;
    sim_timer_t *timer = zmalloc(sizeof(*timer));
    *timer = (sim_timer_t){
        .id = ++self->last_timer_id, .due = self->now + delay_ms, .fn = fn, .arg = arg};
    zlistx_insert(self->timers, timer, false);
    return timer->id;
}

static void sim_cancel(ev_t *base, int timer_id)
{
    zlistx_t *timers = ((sim_ev_t *)base)->timers;
    for (sim_timer_t *t = zlistx_first(timers); t; t = zlistx_next(timers)) {
        if (t->id == timer_id) {
            zlistx_delete(timers, zlistx_cursor(timers));
            return;
        }
    }
}

static bool has_input(zsock_t *sock)
{
    return zsock_events(sock) & ZMQ_POLLIN;
}

/* Calls the handler of the first descriptor that is ready. */
static bool deliver_fd(sim_ev_t *self)
{
    for (sim_fd_t *f = zlistx_first(self->fds); f; f = zlistx_next(self->fds)) {
        struct pollfd ready = {.fd = f->fd, .events = (short)f->events};
        if (poll(&ready, 1, 0) > 0) {
            f->fn(f->arg, f->fd, (uint32_t)ready.revents);
            return true;
        }
    }
    return false;
}

/* Delivers one message, to the first reader that has any. */
static bool deliver_one(sim_ev_t *self)
{
    for (sim_reader_t *r = zlistx_first(self->readers); r; r = zlistx_next(self->readers)) {
        if (has_input(r->sock)) {
            r->fn(r->arg, r->sock);
            return true;
        }
    }
    return deliver_fd(self);
}

/* Moves time to the next timer due by `until` and fires it. */
static bool fire_one(sim_ev_t *self, int64_t until)
{
    sim_timer_t *next = zlistx_first(self->timers);
    if (!next || next->due > until)
        return false;

    sim_timer_t fired = *next;
    zlistx_delete(self->timers, zlistx_cursor(self->timers));
    self->now = fired.due;
    fired.fn(fired.arg);
    return true;
}

static void run_until(sim_ev_t *self, int64_t until)
{
    self->is_stopped = false;
    while (!self->is_stopped && (deliver_one(self) || fire_one(self, until)))
        continue;
}

static void sim_stop(ev_t *base)
{
    ((sim_ev_t *)base)->is_stopped = true;
}

static void sim_run(ev_t *base)
{
    run_until((sim_ev_t *)base, INT64_MAX);
}

void ev_sim_run_for(ev_t *base, int64_t span_ms)
{
    sim_ev_t *self = (sim_ev_t *)base;
    int64_t until = self->now + span_ms;
    run_until(self, until);
    self->now = until;
}

ev_t *ev_sim_new(void)
{
    static const ev_ops_t ops = {
        .destroy = sim_destroy,
        .now = sim_now,
        .reader = sim_reader,
        .reader_end = sim_reader_end,
        .fd = sim_fd,
        .fd_end = sim_fd_end,
        .after = sim_after,
        .cancel = sim_cancel,
        .run = sim_run,
        .stop = sim_stop,
    };
    sim_ev_t *self = zmalloc(sizeof(*self));
    self->base.ops = &ops;
    self->base.signal_fd = -1;
    self->readers = zlistx_new();
    self->fds = zlistx_new();
    self->timers = zlistx_new();
    zlistx_set_destructor(self->readers, item_destroy);
    zlistx_set_destructor(self->fds, item_destroy);
    zlistx_set_destructor(self->timers, item_destroy);
    zlistx_set_comparator(self->timers, timer_compare);
    return &self->base;
}
