/* backends - the pods behind a Service, with the ports it means on each of them. */
#ifndef CLUSTER_ENV_CONTROLLERS_BACKENDS_H
#define CLUSTER_ENV_CONTROLLERS_BACKENDS_H

#include "services/cluster/env/store.h"

typedef struct backend {
    json_t *pod;     /* a reference */
    json_t *ports;   /* [{name?, port, protocol}]; a reference */
    char *port_key;  /* the same as text: backends with equal ports go together */
    bool is_ready;   /* gets traffic: ready, or the Service does not mind */
    bool is_serving; /* ready, whether or not it is being deleted */
    bool is_leaving; /* being deleted */
} backend_t;

typedef struct backends {
    backend_t *list; /* by port_key, then by address */
    size_t count;
    size_t capacity;
} backends_t;

/* Those with an address that have not ended. */
void backends_init(backends_t *self, store_t *store, const json_t *service);
void backends_done(backends_t *self);

/* The pod's own name below that of the Service (db-0 of db), or NULL: it has one if its subdomain
 * is the Service. Borrowed. */
const char *backend_hostname(const backend_t *self, const json_t *service);

/* {kind, namespace, name, uid} of the pod. */
json_t *backend_target(const backend_t *self);

#endif
