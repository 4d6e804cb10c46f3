/* orchestrator - the service that runs sessions: it has environments made, loaded and broken, gives
 * the agent its turn, has the outcome judged, and clears away.
 *
 * Everything it knows is in its store before it is told to anybody, so that a killed orchestrator
 * goes on where it stopped: sessions whose agent had its turn continue if their environment still
 * lives, others fail with a reason. */
#ifndef ORCHESTRATOR_ORCHESTRATOR_H
#define ORCHESTRATOR_ORCHESTRATOR_H

#include "base/ev.h"
#include "bus/bus.h"
#include "metrics/metrics.h"
#include "problems/problem.h"

typedef struct orchestrator orchestrator_t;

typedef struct orchestrator_config {
    ev_t *ev; /* borrowed, as all of it */
    bus_t *bus;
    metrics_t *metrics;
    const char *problems_dir;
    const char *database;    /* a file, or ":memory:" */
    const char *results_dir; /* the default one; made when needed */
} orchestrator_config_t;

/* Loads the problems, opens the store, goes on with what it finds there, serves. */
orchestrator_t *orchestrator_new(const orchestrator_config_t *config, err_t *err);

/* Sessions stay as they are in the store. */
void orchestrator_destroy(orchestrator_t **self_p);

#endif
