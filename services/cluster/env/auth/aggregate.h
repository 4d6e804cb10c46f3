/* aggregate - ClusterRoles that are put together from others by label. */
#ifndef CLUSTER_ENV_AUTH_AGGREGATE_H
#define CLUSTER_ENV_AUTH_AGGREGATE_H

#include "services/cluster/env/store.h"

/* The rules that a role with an aggregationRule must have: those of all ClusterRoles that one of
 * its selectors picks, in order of their names, each rule once. A new array. */
json_t *aggregate_rules(store_t *store, const json_t *role);

#endif
