/* ev - where readiness and time come from.
 *
 * Services see only this interface. In production it is an epoll loop (ev_new); in tests it is a
 * single-threaded simulation with virtual time (ev_sim_new), so a ten-minute problem runs in
 * milliseconds and always the same way. A loop belongs to the thread that made it. */
#ifndef BASE_EV_H
#define BASE_EV_H

#include <czmq.h>
#include <stdint.h>
#include <sys/epoll.h>

typedef struct ev ev_t;
typedef void(ev_reader_fn)(void *arg, zsock_t *sock);
typedef void(ev_fd_fn)(void *arg, int fd, uint32_t events);
typedef void(ev_timer_fn)(void *arg);

ev_t *ev_new(void);
ev_t *ev_sim_new(void);
void ev_destroy(ev_t **self_p);

/* Monotonic milliseconds; virtual in the simulation. */
int64_t ev_now(ev_t *self);

/* Calls fn whenever sock has input; fn may take one message or many. The socket stays the
 * caller's. */
void ev_reader(ev_t *self, zsock_t *sock, ev_reader_fn *fn, void *arg);
void ev_reader_end(ev_t *self, zsock_t *sock);

/* Calls fn whenever one of events (EPOLLIN, EPOLLOUT, level-triggered) holds for fd; a second call
 * for the same fd replaces the first. End it before the descriptor is closed. */
void ev_fd(ev_t *self, int fd, uint32_t events, ev_fd_fn *fn, void *arg);
void ev_fd_end(ev_t *self, int fd);

/* Calls fn once, delay_ms from now. Returns an id, which is never 0, for ev_cancel(). */
int ev_after(ev_t *self, int64_t delay_ms, ev_timer_fn *fn, void *arg);

/* Forgets a timer; ids of fired or forgotten timers, and 0, are ignored. */
void ev_cancel(ev_t *self, int timer_id);

/* Dispatches until ev_stop(); the simulation, until nothing is left to happen. */
void ev_run(ev_t *self);

/* Makes ev_run() return once the present handler has. */
void ev_stop(ev_t *self);

/* Calls ev_stop() when the process gets SIGINT or SIGTERM, which are blocked from then on: call it
 * before threads start. SIGPIPE is ignored. */
void ev_stop_on_signals(ev_t *self);

/* Simulation only: dispatches what happens in the next span_ms of virtual time. */
void ev_sim_run_for(ev_t *base, int64_t span_ms);

#endif
