/* controllers - what turns wishes in the store into objects: deployments into replica sets, those
 * into pods, pods onto nodes, services into endpoints; and what cleans up behind them.
 *
 * They see only the store, act on its changes and never poll. */
#ifndef CLUSTER_ENV_CONTROLLERS_CONTROLLERS_H
#define CLUSTER_ENV_CONTROLLERS_CONTROLLERS_H

#include "services/cluster/env/store.h"
#include "services/cluster/env/usage.h"

typedef struct controllers controllers_t;

/* Starts all of them, also on what the store holds already. ca_pem is what every namespace's
 * kube-root-ca.crt will hold; it is copied. Destroy before the store and the usage. */
controllers_t *controllers_new(ev_t *ev, store_t *store, usage_t *usage, const char *ca_pem);
void controllers_destroy(controllers_t **self_p);

#endif
