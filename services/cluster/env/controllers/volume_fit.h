/* volume_fit - what a pod's volumes demand of the scheduler. */
#ifndef CLUSTER_ENV_CONTROLLERS_VOLUME_FIT_H
#define CLUSTER_ENV_CONTROLLERS_VOLUME_FIT_H

#include "services/cluster/env/store.h"

/* Why no node at all can take the pod now, in the scheduler's words, for free(); NULL if one might.
 */
char *volume_fit_reason(store_t *store, const json_t *pod);

/* Why this node cannot (static), or NULL. */
const char *volume_fit_node(store_t *store, const json_t *pod, const json_t *node);

/* Has the claims that wait for the pod bound on the node chosen; false while that is under way. */
bool volume_fit_settle(store_t *store, const json_t *pod, const json_t *node);

#endif
