/* route - from a resource's path to what it names. */
#ifndef CLUSTER_ENV_API_ROUTE_H
#define CLUSTER_ENV_API_ROUTE_H

#include "services/cluster/env/api/api_internal.h"

/* Reads /api/v1/… and /apis/GROUP/VERSION/…; false if it names no resource that there is. *target
 * is for target_done() either way. */
bool route_parse(const store_t *store, const char *path, target_t *target);
void target_done(target_t *target);

#endif
