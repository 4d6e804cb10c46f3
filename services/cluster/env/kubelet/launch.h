/* launch - what a container is started with: arguments, environment, user, limits.
 *
 * As the real kubelet builds them: the image's entrypoint and command unless the container names
 * its own, $(NAME) expanded, variables from literals, ConfigMaps, Secrets and the pod's own fields,
 * and those that tell about Services. */
#ifndef CLUSTER_ENV_KUBELET_LAUNCH_H
#define CLUSTER_ENV_KUBELET_LAUNCH_H

#include "base/err.h"
#include "services/cluster/env/kubelet/downward.h"
#include "services/cluster/runtime/cgroup.h"

#include <sys/types.h>

typedef struct launch {
    char **argv; /* end with NULL */
    char **envp;
    json_t *variables; /* the same by name */
    char *cwd;         /* NULL: / */
    cgroup_limits_t limits;
} launch_t;

typedef struct launch_subject {
    downward_t pod;
    const json_t *container;
    const json_t *image; /* its entry in the images list */
    uid_t uid;           /* whom it runs as */
} launch_subject_t;

/* Fails with the words of a CreateContainerConfigError, such as
 * `couldn't find key x in ConfigMap shop/y`. */
int launch_init(launch_t *self, const launch_subject_t *subject, err_t *err);
void launch_done(launch_t *self);

/* The text with each $(NAME) that is known replaced; for free(). A volumes_expand_fn. */
char *launch_expand(void *self, const char *text);

#endif
