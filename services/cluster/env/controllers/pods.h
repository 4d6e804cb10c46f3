/* pods - what controllers ask about a pod. */
#ifndef CLUSTER_ENV_CONTROLLERS_PODS_H
#define CLUSTER_ENV_CONTROLLERS_PODS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Neither ended nor being deleted. */
bool pod_is_active(const json_t *pod);

/* Its Ready condition is True. */
bool pod_is_ready(const json_t *pod);

/* Its phase is Succeeded or Failed. */
bool pod_is_ended(const json_t *pod);

/* A new pod without a name, of which owner is the controller: the template's metadata and spec,
 * shared with it. */
json_t *pod_from_template(const json_t *owner, const json_t *template);

/* Orders pods (an array of count) so that those whose loss hurts least come first: unscheduled,
 * pending, not ready, cheap by annotation, crowded on their node, ready or made most recently. */
void pods_rank_for_deletion(json_t **pods, size_t count);

#endif
