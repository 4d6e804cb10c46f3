/* pod_account - the ServiceAccount of a new pod (the admission plugin of that name). */
#ifndef CLUSTER_ENV_KINDS_POD_ACCOUNT_H
#define CLUSTER_ENV_KINDS_POD_ACCOUNT_H

#include "services/cluster/env/kind.h"

#include "base/err.h"

/* Gives the pod its account's image pull secrets and, unless the pod or the account wants none, a
 * token in each container at /var/run/secrets/kubernetes.io/serviceaccount. -ERR_FORBIDDEN if there
 * is no such account. */
int pod_admit_account(store_t *store, json_t *pod, err_t *err);

#endif
