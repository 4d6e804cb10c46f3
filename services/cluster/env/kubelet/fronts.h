/* fronts - keeps the addresses of Services in step with Services and EndpointSlices. */
#ifndef CLUSTER_ENV_KUBELET_FRONTS_H
#define CLUSTER_ENV_KUBELET_FRONTS_H

#include "base/err.h"
#include "services/cluster/env/store.h"
#include "services/cluster/runtime/service_table.h"

typedef struct fronts fronts_t;

enum { FRONT_ENDPOINT_LIMIT = 256 };

typedef struct endpoint_list {
    service_endpoint_t items[FRONT_ENDPOINT_LIMIT];
    size_t count;
} endpoint_list_t;

/* In the present network namespace, which is the router. The store is borrowed. */
fronts_t *fronts_new(store_t *store, int node_count, err_t *err);
void fronts_destroy(fronts_t **self_p);

/* Where a port of a Service, by its name, is served now, as its EndpointSlices say: by those that
 * are ready, or if none is, by those that still serve while they go. */
void fronts_find_endpoints(
    store_t *store, const json_t *service, const char *port_name, endpoint_list_t *list);

#endif
