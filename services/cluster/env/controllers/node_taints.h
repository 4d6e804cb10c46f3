/* node_taints - taints that follow from a node's state, and what they do to its pods. */
#ifndef CLUSTER_ENV_CONTROLLERS_NODE_TAINTS_H
#define CLUSTER_ENV_CONTROLLERS_NODE_TAINTS_H

#include "services/cluster/env/store.h"

/* Puts on and takes off the taints of conditions (not-ready, unreachable, pressure) and of
 * cordoning. */
void node_taints_sync(store_t *store, json_t *node);

/* Deletes pods from nodes with NoExecute taints, when their tolerations say so. */
typedef struct taint_eviction taint_eviction_t;
taint_eviction_t *taint_eviction_new(ev_t *ev, store_t *store);
void taint_eviction_destroy(taint_eviction_t **self_p);

#endif
