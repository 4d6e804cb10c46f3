/* schedule - one round of the scheduler: who is where, and who waits for a place.
 * Private to schedul*.c and preemption.c. */
#ifndef CLUSTER_ENV_CONTROLLERS_SCHEDULE_H
#define CLUSTER_ENV_CONTROLLERS_SCHEDULE_H

#include "services/cluster/env/controllers/conditions.h"
#include "services/cluster/env/controllers/fit.h"
#include "services/cluster/env/store.h"

#define SCHEDULER "default-scheduler"

typedef struct round {
    store_t *store; /* borrowed */
    node_info_t *nodes;
    size_t node_count;
    json_t *waiting;  /* pods, the most important first, then the oldest */
    json_t *siblings; /* by owner uid and node name: how many pods */
} round_t;

/* What came of looking for a place. */
typedef struct outcome {
    node_info_t *best;
    json_t *reasons; /* against each node, counted; owned */
    bool *is_final;  /* for each node: no eviction could help; owned */
} outcome_t;

/* ---- schedule.c --------------------------------------------------------------------------- */

void round_init(round_t *self, store_t *store);
void round_done(round_t *self);

/* Reckons with a pod on a node from now on. */
void round_book(round_t *self, node_info_t *info, json_t *pod);

/* Whether a pod fits a node as it stands; if not, why is added to reasons. */
bool round_fits(const round_t *self, const node_info_t *info, const json_t *pod, json_t *reasons,
    bool *is_final);

outcome_t round_choose(const round_t *self, const json_t *pod);
void outcome_done(outcome_t *outcome);

/* A pod's priority. */
int64_t pod_priority(const json_t *pod);

/* ---- schedule_text.c ---------------------------------------------------------------------- */

/* Counts one reason more. */
void reason_add(json_t *reasons, const char *reason);

/* "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had …." For free(). */
char *reasons_text(size_t node_count, const json_t *reasons);

/* A copy of the pod with one of its conditions set; reason and message may be NULL. */
json_t *pod_with_condition(const json_t *pod, condition_t condition);

/* ---- preemption.c ------------------------------------------------------------------------- */

/* Evicts less important pods to make room for one that fits nowhere. The name of the node that is
 * to be its own (borrowed), or NULL and, in *why_p for free(), why not. */
const char *preempt(round_t *self, json_t *pod, const outcome_t *outcome, char **why_p);

#endif
