/* boot - what a cluster has before anybody deploys anything. */
#ifndef CLUSTER_ENV_BOOT_H
#define CLUSTER_ENV_BOOT_H

#include "services/cluster/env/store.h"

/* Namespaces, the default roles, the authority of client
 * certificates, the Services of the API server and of DNS. */
void boot_objects(store_t *store, const char *client_ca_pem);

#endif
