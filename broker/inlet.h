/* inlet - input of a libzmq socket, at the price of one system call a wake.
 *
 * ev_reader() asks every socket of a loop for its events twice a turn, each time by a poll(2)
 * inside libzmq. For a broker that is most of what an idle turn costs. An inlet watches the
 * socket's descriptor instead, which is readable while libzmq has commands for the socket. Two
 * duties follow: the drain must read until EAGAIN or say that there is more, and whoever uses the
 * socket elsewhere must call inlet_drain() afterwards, since any call may have taken those
 * commands. */
#ifndef BROKER_INLET_H
#define BROKER_INLET_H

#include "base/ev.h"

#include <stdbool.h>

/* Reads what there is; true if it stopped before the end. */
typedef bool(inlet_drain_fn)(void *arg);

typedef struct inlet {
    ev_t *ev; /* borrowed; NULL: not open */
    int fd;   /* libzmq's */
    inlet_drain_fn *drain;
    void *arg;
    int again_timer;
} inlet_t;

void inlet_open(inlet_t *self, ev_t *ev, void *socket, inlet_drain_fn *drain, void *arg);
void inlet_close(inlet_t *self);
void inlet_drain(inlet_t *self);

#endif
