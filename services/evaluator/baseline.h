/* baseline - answers baseline.take: a snapshot of an environment, for whoever asked. */
#ifndef EVALUATOR_BASELINE_H
#define EVALUATOR_BASELINE_H

#include "bus/bus.h"
#include "proto/messages.h"

typedef struct taking taking_t;

/* The request was answered; the taking may be destroyed from within. */
typedef void(taking_done_fn)(void *arg, taking_t *taking);

/* The request is taken. */
taking_t *taking_new(ev_t *ev, bus_t *bus, bus_request_t **request_p, const baseline_take_t *take,
    taking_done_fn *on_done, void *arg);
void taking_destroy(taking_t **self_p);

#endif
