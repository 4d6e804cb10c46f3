/* load - one load: a pod in an environment, its log followed, its reports published.
 *
 *     asking -> creating -> starting -> running -> stopping -> over
 *
 * All that has to be remembered is in the cluster: the id names environment and pod, so that
 * another instance of this service can follow or stop a load that it did not start. */
#ifndef LOADGEN_LOAD_H
#define LOADGEN_LOAD_H

#include "bus/bus.h"
#include "proto/messages.h"

typedef struct load load_t;

/* What loads need of their service; borrowed. */
typedef struct load_context {
    ev_t *ev;
    bus_t *bus;
} load_context_t;

/* Starts; answers the request, which it takes, with load.started once the first line of the pod's
 * log is there, or with why it is not. */
load_t *load_start(
    const load_context_t *context, const load_start_t *plan, bus_request_t **request_p);

/* Follows a load that was started before, by its id; NULL if that cannot be an id. */
load_t *load_resume(const load_context_t *context, const char *id);

/* Without callback or answer; the pod stays. */
void load_destroy(load_t **self_p);

/* "env-0123abcd/wrk2-job-x7k2p"; the load's. */
const char *load_id(const load_t *self);

/* Ends it, if it still runs, and answers the request, which it takes, with the final report. */
void load_stop(load_t *self, bus_request_t **request_p);

bool load_is_over(const load_t *self);

#endif
