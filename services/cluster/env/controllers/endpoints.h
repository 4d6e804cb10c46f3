/* endpoints - writing a Service's Endpoints and EndpointSlices. Private to endpoint*.c. */
#ifndef CLUSTER_ENV_CONTROLLERS_ENDPOINTS_H
#define CLUSTER_ENV_CONTROLLERS_ENDPOINTS_H

#include "services/cluster/env/controllers/backends.h"

/* Makes the Service's slices say what backends do, changing no more than needed. */
void endpoint_slices_put(store_t *store, const json_t *service, const backends_t *backends);

/* Makes slices that say what hand-written Endpoints do. */
void endpoint_slices_mirror(store_t *store, const json_t *service, const json_t *endpoints);

/* Takes all slices of a Service away. */
void endpoint_slices_remove(store_t *store, const char *namespace, const char *service);

#endif
