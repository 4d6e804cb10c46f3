/* pod_resources - what a pod's containers ask for together (component-helpers, PodRequests). */
#ifndef CLUSTER_ENV_ADMISSION_POD_RESOURCES_H
#define CLUSTER_ENV_ADMISSION_POD_RESOURCES_H

#include <jansson.h>

/* A new map of amounts: the containers' sum or what the greediest of the init containers needs,
 * whichever is more, and the overhead. part is "requests" or "limits". */
json_t *pod_resources(const json_t *pod, const char *part);

#endif
