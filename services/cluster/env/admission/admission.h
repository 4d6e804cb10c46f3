/* admission - what a cluster's rules say of an object that is valid: LimitRanges, Pod Security,
 * ResourceQuotas, in the order of a real server. */
#ifndef CLUSTER_ENV_ADMISSION_ADMISSION_H
#define CLUSTER_ENV_ADMISSION_ADMISSION_H

#include "services/cluster/env/store.h"

/* Whether a prepared object may be stored; old is NULL for a new one. Refuses with -ERR_FORBIDDEN;
 * adds strings to warnings, which may be NULL. */
int admission_check(store_t *store, const kind_t *kind, const json_t *object, const json_t *old,
    json_t *warnings, err_t *err);

#endif
