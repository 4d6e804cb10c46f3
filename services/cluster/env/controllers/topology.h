/* topology - what pods demand of each other's places: affinity, anti-affinity, even spread. */
#ifndef CLUSTER_ENV_CONTROLLERS_TOPOLOGY_H
#define CLUSTER_ENV_CONTROLLERS_TOPOLOGY_H

#include "services/cluster/env/controllers/fit.h"
#include "services/cluster/env/store.h"

/* All nodes with their pods, and one pod that wants a place. */
typedef struct topology {
    store_t *store;           /* borrowed, for the labels of namespaces */
    const node_info_t *nodes; /* borrowed */
    size_t node_count;
    const json_t *pod; /* borrowed */
} topology_t;

/* Why the pod cannot be on a node, in the scheduler's words (static), or NULL. *is_final is set if
 * no eviction could help. */
const char *topology_refusal(const topology_t *self, const node_info_t *at, bool *is_final);

/* How much the pod, and the taints of the node, speak for the node: what is preferred, weighted. */
int64_t topology_preference(const topology_t *self, const node_info_t *at);

#endif
