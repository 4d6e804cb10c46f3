/* injector - the service that breaks things on purpose, watches that they stay broken, and mends
 * them. */
#ifndef INJECTOR_INJECTOR_H
#define INJECTOR_INJECTOR_H

#include "base/ev.h"
#include "bus/bus.h"
#include "metrics/metrics.h"

typedef struct injector injector_t;

typedef struct injector_config {
    ev_t *ev; /* borrowed, as all of it */
    bus_t *bus;
    metrics_t *metrics;
    const char *folder; /* for the records of faults; made if it is not there */
} injector_config_t;

/* Takes up the faults of a former life: those in force are watched on, halves are undone. */
injector_t *injector_new(const injector_config_t *config, err_t *err);

/* Waits for work under way; faults stay as they are, and on record. */
void injector_destroy(injector_t **self_p);

#endif
