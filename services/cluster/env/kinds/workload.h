/* workload - what Deployment and ReplicaSet share. */
#ifndef CLUSTER_ENV_KINDS_WORKLOAD_H
#define CLUSTER_ENV_KINDS_WORKLOAD_H

#include <jansson.h>

/* Replicas, the template's metadata and pod spec. */
void workload_fill(json_t *object);

#endif
