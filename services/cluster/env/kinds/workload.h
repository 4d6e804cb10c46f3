/* workload - what the kinds with a pod template share. */
#ifndef CLUSTER_ENV_KINDS_WORKLOAD_H
#define CLUSTER_ENV_KINDS_WORKLOAD_H

#include <jansson.h>

/* Replicas, the template's metadata and pod spec. */
void workload_fill(json_t *object);

/* Only the template below spec, and an empty status; NULL if the spec is misshapen. */
json_t *workload_fill_template(json_t *object);

#endif
