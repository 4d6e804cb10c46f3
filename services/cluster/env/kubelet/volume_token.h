/* volume_token - the token of a pod's ServiceAccount, as a file of a projected volume. */
#ifndef CLUSTER_ENV_KUBELET_VOLUME_TOKEN_H
#define CLUSTER_ENV_KUBELET_VOLUME_TOKEN_H

#include "services/cluster/env/kubelet/volumes.h"

/* The token for a serviceAccountToken source: the one that is in the volume's folder as long as it
 * is good, then another; for free(). NULL and err if the account is gone. */
char *volume_token(
    const volumes_subject_t *subject, const json_t *source, const char *folder, err_t *err);

#endif
