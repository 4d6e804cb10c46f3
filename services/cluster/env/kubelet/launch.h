/* launch - what a container is started with: arguments, environment, limits.
 *
 * As the real kubelet builds them: the image's entrypoint and command unless the container names
 * its own, $(NAME) expanded, variables from literals, ConfigMaps, Secrets and the pod's own fields,
 * and those that tell about Services. */
#ifndef CLUSTER_ENV_KUBELET_LAUNCH_H
#define CLUSTER_ENV_KUBELET_LAUNCH_H

#include "base/err.h"
#include "services/cluster/env/store.h"
#include "services/cluster/runtime/cgroup.h"

typedef struct launch {
    char **argv; /* end with NULL */
    char **envp;
    cgroup_limits_t limits;
} launch_t;

typedef struct launch_subject {
    store_t *store;
    const json_t *pod;
    const json_t *container;
    const json_t *image; /* its entry in the images list */
    const char *pod_ip;
    const char *host_ip;
} launch_subject_t;

/* Fails with the words of a CreateContainerConfigError, such as
 * `couldn't find key x in ConfigMap shop/y`. */
int launch_init(launch_t *self, const launch_subject_t *subject, err_t *err);
void launch_done(launch_t *self);

#endif
