/* stateful - one StatefulSet with its pods by ordinal, while the controller looks at it.
 * Private to stateful*.c. */
#ifndef CLUSTER_ENV_CONTROLLERS_STATEFUL_H
#define CLUSTER_ENV_CONTROLLERS_STATEFUL_H

#include "services/cluster/env/controllers/availability.h"
#include "services/cluster/env/events.h"
#include "services/cluster/env/store.h"

typedef struct stateful {
    store_t *store;               /* borrowed */
    availability_t *availability; /* borrowed */
    json_t *set;                  /* this and the next three are references */
    json_t *current;              /* the revision that all pods had when it was last complete */
    json_t *update;               /* the revision of the present template */
    json_t *pods;                 /* all that it owns */
    json_t **replicas;            /* the wanted ones by place; NULL where one is missing */
    size_t count;
    json_t **condemned; /* those past the end, the last first */
    size_t condemned_count;
    const json_t *first_unhealthy;
    int64_t collisions;
    int64_t wait_ms; /* look again then; 0: no need */
} stateful_t;

/* False if its revision could not be stored. */
bool stateful_init(stateful_t *self, store_t *store, availability_t *availability, json_t *set);
void stateful_done(stateful_t *self);

/* Whether a pod has a revision's template. */
bool stateful_is_of(const json_t *pod, const json_t *revision);

/* Ready for long enough; if not yet, wait_ms says when. */
bool stateful_is_available(stateful_t *self, const json_t *pod);

/* Whether it is updated by the controller, not by whoever deletes its pods. */
bool stateful_is_rolling(const stateful_t *self);

/* Takes the next step, or all that can be taken at once. */
void stateful_act(stateful_t *self);

#endif
