/* volume_match - which persistent volume suits a claim, and which node a volume. */
#ifndef CLUSTER_ENV_CONTROLLERS_VOLUME_MATCH_H
#define CLUSTER_ENV_CONTROLLERS_VOLUME_MATCH_H

#include "services/cluster/env/store.h"

#define VOLUME_SELECTED_NODE "volume.kubernetes.io/selected-node"

/* Bound by the binder, and so for good. */
bool claim_is_bound(const json_t *claim);

/* Whether a claim waits until a pod that uses it has a node. */
bool claim_waits_for_pod(store_t *store, const json_t *claim);

/* Whether the volume may be used on a node. */
bool volume_suits_node(const json_t *volume, const json_t *node);

/* The smallest free volume that suits a claim, or one that is reserved for it; on node, unless that
 * is NULL. Borrowed, or NULL. */
json_t *volume_find(store_t *store, const json_t *claim, const json_t *node);

/* Whether a reference (claimRef) means this claim; one without uid means any of its name. */
bool claim_is_meant(const json_t *reference, const json_t *claim);

/* Whether a pod mounts the claim of this name in its namespace. */
bool pod_uses_claim(const json_t *pod, const char *claim);

/* The claim of a pod's volume ("ephemeral" ones included), for free(); NULL if it has none. */
char *pod_volume_claim(const json_t *pod, const json_t *volume);

#endif
