/* downward - what a pod may know about itself: fields and resources, for variables and files. */
#ifndef CLUSTER_ENV_KUBELET_DOWNWARD_H
#define CLUSTER_ENV_KUBELET_DOWNWARD_H

#include "services/cluster/env/store.h"

typedef struct downward {
    store_t *store; /* for what a node has, where a container has no limit */
    const json_t *pod;
    const char *pod_ip;
    const char *host_ip;
} downward_t;

/* The text of a field such as "metadata.labels['app']", "status.podIP" or, all of them,
 * "metadata.labels"; for free(). Unknown ones are empty. */
char *downward_field(const downward_t *self, const char *path);

/* The number of a resourceFieldRef, in units of its divisor; container NULL: the one it names. For
 * free(). */
char *downward_resource(const downward_t *self, const json_t *reference, const json_t *container);

#endif
