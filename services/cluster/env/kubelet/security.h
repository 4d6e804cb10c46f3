/* security - what a pod's and a container's securityContext come to. */
#ifndef CLUSTER_ENV_KUBELET_SECURITY_H
#define CLUSTER_ENV_KUBELET_SECURITY_H

#include "base/err.h"
#include "services/cluster/runtime/spawn.h"

#include <jansson.h>

enum { SECURITY_GROUP_LIMIT = 64 };

typedef struct security {
    spawn_security_t process; /* its groups are those below */
    gid_t groups[SECURITY_GROUP_LIMIT];
    bool is_root_read_only;
} security_t;

/* self must stay where it is. Fails with the words of a CreateContainerConfigError, such as
 * `container has runAsNonRoot and image will run as root`. */
int security_init(security_t *self, const json_t *pod, const json_t *container, err_t *err);

#endif
