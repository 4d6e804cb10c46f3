/* The loop that services run on: epoll for descriptors, a binary heap for timers.
 *
 * A ZeroMQ socket's descriptor is edge-triggered and speaks of its mailbox only, so it merely wakes
 * the loop; whether there is input is asked of every registered socket once per turn, and a socket
 * that still has input keeps the loop from sleeping. Services hold a handful of sockets. */
#include "base/ev_ops.h"

#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { EVENTS_PER_TURN = 64 };

typedef struct watch {
    int fd;
    zsock_t *sock; /* NULL for a plain descriptor */
    ev_reader_fn *on_input;
    ev_fd_fn *on_ready;
    void *arg;
    bool is_ended; /* freed at the end of the turn, since epoll may still name it */
} watch_t;

typedef struct timer {
    int id;
    int64_t due;
    ev_timer_fn *fn;
    void *arg;
} heap_timer_t;

typedef struct epoll_ev {
    ev_t base;
    int epoll_fd;
    bool is_stopped;
    watch_t **watches;
    size_t watch_count;
    size_t watch_capacity;
    size_t ended_count;
    size_t sock_count;
    heap_timer_t *timers; /* binary heap, soonest first */
    size_t timer_count;
    size_t timer_capacity;
    int last_timer_id;
} epoll_ev_t;

/* ---- watches ----------------------------------------------------------------------------- */

static watch_t *find_fd(epoll_ev_t *self, int fd)
{
    for (size_t i = 0; i < self->watch_count; i++) {
        if (!self->watches[i]->is_ended && self->watches[i]->fd == fd)
            return self->watches[i];
    }
    return NULL;
}

static watch_t *watch_add(epoll_ev_t *self, watch_t template)
{
    if (self->watch_count == self->watch_capacity) {
        self->watch_capacity = self->watch_capacity ? 2 * self->watch_capacity : 16;
        self->watches =
            mem_check(reallocarray(self->watches, self->watch_capacity, sizeof(*self->watches)));
    }
    watch_t *watch = xcalloc(1, sizeof(*watch));
    *watch = template;
    self->watches[self->watch_count++] = watch;
    return watch;
}

static void watch_end(epoll_ev_t *self, watch_t *watch)
{
    (void)epoll_ctl(self->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL); /* may be closed already */
    self->sock_count -= watch->sock ? 1 : 0;
    self->ended_count++;
    watch->is_ended = true;
}

static void free_ended(epoll_ev_t *self)
{
    if (!self->ended_count)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < self->watch_count; i++) {
        if (self->watches[i]->is_ended)
            free(self->watches[i]);
        else
            self->watches[kept++] = self->watches[i];
    }
    self->watch_count = kept;
    self->ended_count = 0;
}

static void epoll_reader(ev_t *base, zsock_t *sock, ev_reader_fn *fn, void *arg)
{
    epoll_ev_t *self = (epoll_ev_t *)base;
    watch_t *watch =
        watch_add(self, (watch_t){.fd = zsock_fd(sock), .sock = sock, .on_input = fn, .arg = arg});
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = watch};
    int rc = epoll_ctl(self->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event);
    assert(rc == 0);
    (void)rc;
    self->sock_count++;
}

static void epoll_reader_end(ev_t *base, zsock_t *sock)
{
    epoll_ev_t *self = (epoll_ev_t *)base;
    for (size_t i = 0; i < self->watch_count; i++) {
        if (self->watches[i]->sock == sock && !self->watches[i]->is_ended)
            watch_end(self, self->watches[i]);
    }
}

static void epoll_fd(ev_t *base, int fd, uint32_t events, ev_fd_fn *fn, void *arg)
{
    epoll_ev_t *self = (epoll_ev_t *)base;
    watch_t *watch = find_fd(self, fd);
    bool is_new = !watch;
    if (is_new)
        watch = watch_add(self, (watch_t){.fd = fd});
    watch->on_ready = fn;
    watch->arg = arg;
    struct epoll_event event = {.events = events, .data.ptr = watch};
    int rc = epoll_ctl(self->epoll_fd, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
    assert(rc == 0);
    (void)rc;
}

static void epoll_fd_end(ev_t *base, int fd)
{
    epoll_ev_t *self = (epoll_ev_t *)base;
    watch_t *watch = find_fd(self, fd);
    if (watch)
        watch_end(self, watch);
}

/* ---- timers ------------------------------------------------------------------------------- */

static bool is_sooner(const heap_timer_t *a, const heap_timer_t *b)
{
    return a->due != b->due ? a->due < b->due : a->id < b->id;
}

static void swap_timers(heap_timer_t *a, heap_timer_t *b)
{
    heap_timer_t kept = *a;
    *a = *b;
    *b = kept;
}

static void sift_up(epoll_ev_t *self, size_t i)
{
    for (; i > 0 && is_sooner(&self->timers[i], &self->timers[(i - 1) / 2]); i = (i - 1) / 2)
        swap_timers(&self->timers[i], &self->timers[(i - 1) / 2]);
}

static void sift_down(epoll_ev_t *self, size_t i)
{
    for (;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < self->timer_count; child++) {
            if (is_sooner(&self->timers[child], &self->timers[least]))
                least = child;
        }
        if (least == i)
            return;
        swap_timers(&self->timers[i], &self->timers[least]);
        i = least;
    }
}

static void timer_remove(epoll_ev_t *self, size_t i)
{
    self->timers[i] = self->timers[--self->timer_count];
    if (i < self->timer_count) {
        sift_up(self, i);
        sift_down(self, i);
    }
}

static int64_t epoll_now(ev_t *base)
{
    (void)base;
    return zclock_mono();
}

static int epoll_after(ev_t *base, int64_t delay_ms, ev_timer_fn *fn, void *arg)
{
    epoll_ev_t *self = (epoll_ev_t *)base;
    if (self->timer_count == self->timer_capacity) {
        self->timer_capacity = self->timer_capacity ? 2 * self->timer_capacity : 16;
        self->timers =
            mem_check(reallocarray(self->timers, self->timer_capacity, sizeof(*self->timers)));
    }
    self->timers[self->timer_count] = (heap_timer_t){
        .id = ++self->last_timer_id, .due = epoll_now(base) + delay_ms, .fn = fn, .arg = arg};
    sift_up(self, self->timer_count++);
    return self->last_timer_id;
}

static void epoll_cancel(ev_t *base, int timer_id)
{
    epoll_ev_t *self = (epoll_ev_t *)base;
    for (size_t i = 0; i < self->timer_count; i++) {
        if (self->timers[i].id == timer_id) {
            timer_remove(self, i);
            return;
        }
    }
}

static void fire_due(epoll_ev_t *self)
{
    int64_t now = epoll_now(&self->base);
    while (!self->is_stopped && self->timer_count && self->timers[0].due <= now) {
        heap_timer_t fired = self->timers[0];
        timer_remove(self, 0);
        fired.fn(fired.arg);
    }
}

/* ---- dispatch ----------------------------------------------------------------------------- */

static bool has_input(const watch_t *watch)
{
    return watch->sock && !watch->is_ended && (zsock_events(watch->sock) & ZMQ_POLLIN);
}

static bool any_input(epoll_ev_t *self)
{
    for (size_t i = 0; self->sock_count && i < self->watch_count; i++) {
        if (has_input(self->watches[i]))
            return true;
    }
    return false;
}

static void deliver_input(epoll_ev_t *self)
{
    for (size_t i = 0; self->sock_count && !self->is_stopped && i < self->watch_count; i++) {
        if (has_input(self->watches[i]))
            self->watches[i]->on_input(self->watches[i]->arg, self->watches[i]->sock);
    }
}

static int wait_ms(epoll_ev_t *self)
{
    if (any_input(self))
        return 0;
    if (!self->timer_count)
        return -1;
    int64_t left = self->timers[0].due - epoll_now(&self->base);
    return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

static void run_turn(epoll_ev_t *self)
{
    struct epoll_event events[EVENTS_PER_TURN];
    int count = epoll_wait(self->epoll_fd, events, EVENTS_PER_TURN, wait_ms(self));
    assert(count >= 0 || errno == EINTR);
    for (int i = 0; i < count && !self->is_stopped; i++) {
        watch_t *watch = events[i].data.ptr;
        if (!watch->is_ended && watch->on_ready)
            watch->on_ready(watch->arg, watch->fd, events[i].events);
    }
    deliver_input(self);
    fire_due(self);
    free_ended(self);
}

static void epoll_run(ev_t *base)
{
    epoll_ev_t *self = (epoll_ev_t *)base;
    self->is_stopped = false;
    while (!self->is_stopped)
        run_turn(self);
}

static void epoll_stop(ev_t *base)
{
    ((epoll_ev_t *)base)->is_stopped = true;
}

static void epoll_destroy(ev_t **self_p)
{
    epoll_ev_t *self = (epoll_ev_t *)*self_p;
    for (size_t i = 0; i < self->watch_count; i++)
        free(self->watches[i]);
    free(self->watches);
    free(self->timers);
    close(self->epoll_fd);
    free(self);
    *self_p = NULL;
}

ev_t *ev_new(void)
{
    static const ev_ops_t ops = {
        .destroy = epoll_destroy,
        .now = epoll_now,
        .reader = epoll_reader,
        .reader_end = epoll_reader_end,
        .fd = epoll_fd,
        .fd_end = epoll_fd_end,
        .after = epoll_after,
        .cancel = epoll_cancel,
        .run = epoll_run,
        .stop = epoll_stop,
    };
    epoll_ev_t *self = xcalloc(1, sizeof(*self));
    self->base.ops = &ops;
    self->base.signal_fd = -1;
    self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    assert(self->epoll_fd >= 0);
    return &self->base;
}
