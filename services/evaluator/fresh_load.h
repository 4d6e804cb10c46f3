/* fresh_load - load of our own for a while: is the service there for its users? Asks again whoever
 * could not answer; that it may take no longer than it may is its owner's business. */
#ifndef EVALUATOR_FRESH_LOAD_H
#define EVALUATOR_FRESH_LOAD_H

#include "bus/bus.h"
#include "proto/messages.h"

#include <jansson.h>

typedef struct fresh_load fresh_load_t;

/* What the load saw; borrowed for the call. The load may be destroyed from within. */
typedef void(fresh_load_fn)(void *arg, const load_report_t *report);

/* Starts it; problem as in session.judge. */
fresh_load_t *fresh_load_new(ev_t *ev, bus_t *bus, const char *env, const json_t *problem,
    fresh_load_fn *on_done, void *arg);
void fresh_load_destroy(fresh_load_t **self_p);

/* Why it does not get on; NULL if it does. */
const err_t *fresh_load_trouble(const fresh_load_t *self);

#endif
