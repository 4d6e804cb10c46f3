/* default_roles - the ClusterRoles and bindings that every cluster has. */
#ifndef CLUSTER_ENV_AUTH_DEFAULT_ROLES_H
#define CLUSTER_ENV_AUTH_DEFAULT_ROLES_H

#include "services/cluster/env/store.h"

/* The group of a cluster's administrator, who has the ClusterRole cluster-admin by a binding that
 * can be taken away, other than system:masters. */
#define GROUP_ADMINS "kubeadm:cluster-admins"

/* Makes them in a store that has none of them. */
void default_roles_create(store_t *store);

#endif
