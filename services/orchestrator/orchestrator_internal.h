/* What the files of the orchestrator share. */
#ifndef ORCHESTRATOR_ORCHESTRATOR_INTERNAL_H
#define ORCHESTRATOR_ORCHESTRATOR_INTERNAL_H

#include "services/orchestrator/orchestrator.h"
#include "services/orchestrator/store.h"

struct orchestrator {
    ev_t *ev;
    bus_t *bus;
    char *results_dir;
    problem_registry_t *problems;
    store_t *store;
    zhashx_t *sessions; /* id -> session_t */
    zlistx_t *over;     /* ids of those that are over, oldest first; others may be asked of store */
    metric_t *opened;
    metric_t *closed;
    metric_t *failed;
    metric_t *steps;
};

struct session;

/* Called by a session that has become closed or failed. */
void orchestrator_on_session_over(orchestrator_t *self, struct session *session);

#endif
