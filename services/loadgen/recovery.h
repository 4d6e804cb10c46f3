/* recovery - finds the loads that run already: asks the cluster service for all environments, and
 * each environment for its load pods. Once, at the start. */
#ifndef LOADGEN_RECOVERY_H
#define LOADGEN_RECOVERY_H

#include "base/ev.h"
#include "bus/bus.h"

typedef struct recovery recovery_t;
typedef void(recovery_found_fn)(void *arg, const char *load_id);

/* Calls on_found for each, from the loop. An environment that does not answer has none. */
recovery_t *recovery_new(ev_t *ev, bus_t *bus, recovery_found_fn *on_found, void *arg);
void recovery_destroy(recovery_t **self_p);

#endif
