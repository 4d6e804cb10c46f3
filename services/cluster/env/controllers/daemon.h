/* daemon - one DaemonSet with its nodes and pods, while the controller looks at it.
 * Private to daemon*.c. */
#ifndef CLUSTER_ENV_CONTROLLERS_DAEMON_H
#define CLUSTER_ENV_CONTROLLERS_DAEMON_H

#include "services/cluster/env/controllers/availability.h"
#include "services/cluster/env/events.h"
#include "services/cluster/env/store.h"

typedef struct daemon_node {
    const json_t *node; /* borrowed */
    json_t *pods;       /* of the set, on this node or meant for it */
    bool should_run;    /* wants a pod */
    bool may_stay;      /* a pod that is there need not go */
} daemon_node_t;

typedef struct daemon {
    store_t *store;               /* borrowed */
    availability_t *availability; /* borrowed */
    json_t *set;                  /* borrowed */
    json_t *revision;             /* of the present template */
    daemon_node_t *nodes;
    size_t count;
    json_t *pods;
    int64_t collisions;
    int64_t wait_ms; /* look again then; 0: no need */
} daemon_t;

/* ---- daemon_set.c ------------------------------------------------------------------------- */

void daemon_create(daemon_t *self, const daemon_node_t *node);
void daemon_delete(daemon_t *self, const json_t *pod);

/* ---- daemon_roll.c ------------------------------------------------------------------------ */

/* The set's pod for a node; new. */
json_t *daemon_pod(const daemon_t *self, const char *node);

/* Whether a pod has the present template. */
bool daemon_is_updated(const daemon_t *self, const json_t *pod);

/* As availability_wait(). */
int64_t daemon_wait(const daemon_t *self, const json_t *pod);

/* Of a node's pods the one that counts: the oldest that is ready, else the oldest; borrowed. */
json_t *daemon_best_pod(const daemon_node_t *node);

/* Takes away all but the one that counts, and the new one that is to replace it. */
void daemon_drop_doubles(daemon_t *self, const daemon_node_t *node);

/* Takes old pods away, as many as may be missing. */
void daemon_roll(daemon_t *self);

#endif
