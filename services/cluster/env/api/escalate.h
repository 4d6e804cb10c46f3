/* escalate - nobody gives away rights that they do not have. */
#ifndef CLUSTER_ENV_API_ESCALATE_H
#define CLUSTER_ENV_API_ESCALATE_H

#include "services/cluster/env/api/api_internal.h"

/* Checks a role or binding that is about to be stored; old is NULL for a new one. False if the
 * request was answered with 403. Other kinds pass. */
bool escalate_check(
    api_t *self, request_t *request, const kind_t *kind, const json_t *object, const json_t *old);

#endif
