/* policies - keeps the rules of the network in step with NetworkPolicies and the pods they mean. */
#ifndef CLUSTER_ENV_KUBELET_POLICIES_H
#define CLUSTER_ENV_KUBELET_POLICIES_H

#include "base/err.h"
#include "base/ev.h"
#include "services/cluster/env/store.h"

typedef struct policies policies_t;

/* In the present network namespace, which is the router. The store is borrowed. */
policies_t *policies_new(ev_t *ev, store_t *store, err_t *err);
void policies_destroy(policies_t **self_p);

#endif
