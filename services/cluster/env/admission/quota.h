/* quota - ResourceQuotas: what a namespace's objects take, and whether one more fits. */
#ifndef CLUSTER_ENV_ADMISSION_QUOTA_H
#define CLUSTER_ENV_ADMISSION_QUOTA_H

#include "services/cluster/env/store.h"

/* Refuses a new or changed object (old is NULL for a new one) that some quota of its namespace has
 * no room for, with -ERR_FORBIDDEN. */
int quota_admit(
    store_t *store, const kind_t *kind, const json_t *object, const json_t *old, err_t *err);

/* A new map: of each resource that the quota limits, how much is taken now. */
json_t *quota_used(store_t *store, const json_t *quota);

#endif
