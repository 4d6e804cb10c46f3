/* names - the cluster's name server: what Services and their endpoints are called. */
#ifndef CLUSTER_ENV_KUBELET_NAMES_H
#define CLUSTER_ENV_KUBELET_NAMES_H

#include "base/err.h"
#include "base/ev.h"
#include "services/cluster/env/store.h"
#include "services/cluster/runtime/dns_message.h"

typedef struct names names_t;

/* Serves on 10.96.0.10 of the present network namespace. The store is borrowed. */
names_t *names_new(ev_t *ev, store_t *store, err_t *err);
void names_destroy(names_t **self_p);

/* What it answers: a dns_lookup_fn but for its first argument. */
void names_lookup(store_t *store, const char *name, uint16_t type, dns_answer_t *answer);

#endif
