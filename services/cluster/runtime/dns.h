/* dns - the cluster's name server: UDP and TCP, the names that its owner knows, nothing beyond. */
#ifndef CLUSTER_RUNTIME_DNS_H
#define CLUSTER_RUNTIME_DNS_H

#include "base/err.h"
#include "base/ev.h"
#include "services/cluster/runtime/dns_message.h"

typedef struct dns dns_t;

/* Serves on address:53 of the present network namespace. */
dns_t *dns_new(ev_t *ev, struct in_addr address, dns_lookup_fn *lookup, void *arg, err_t *err);
void dns_destroy(dns_t **self_p);

#endif
