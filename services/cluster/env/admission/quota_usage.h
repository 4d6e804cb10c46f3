/* quota_usage - what one object takes of what quotas limit (pkg/quota/v1/evaluator/core). */
#ifndef CLUSTER_ENV_ADMISSION_QUOTA_USAGE_H
#define CLUSTER_ENV_ADMISSION_QUOTA_USAGE_H

#include "services/cluster/env/kind.h"

/* Whether objects of the kind may take of the resource: "count/pods", "limits.cpu". */
bool quota_concerns(const kind_t *kind, const char *resource);

/* A new map of amounts. */
json_t *quota_usage(const kind_t *kind, const json_t *object);

/* Whether an object is within all scopes of a quota: pods may be, other objects only within none.
 */
bool quota_covers(const json_t *quota, const kind_t *kind, const json_t *object);

/* Which of the resources that a quota limits a pod's containers do not name, though they must:
 * "must specify limits.cpu for: c"; for free(), or NULL. */
char *quota_missing(const json_t *hard, const json_t *pod);

#endif
