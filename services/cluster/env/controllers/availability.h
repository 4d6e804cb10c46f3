/* availability - since when pods are ready, for minReadySeconds. */
#ifndef CLUSTER_ENV_CONTROLLERS_AVAILABILITY_H
#define CLUSTER_ENV_CONTROLLERS_AVAILABILITY_H

#include "base/ev.h"

#include <jansson.h>

typedef struct availability availability_t;

availability_t *availability_new(ev_t *ev);
void availability_destroy(availability_t **self_p);

/* Milliseconds until a pod counts as available: 0 if it does, -1 if it is not even ready. */
int64_t availability_wait(availability_t *self, const json_t *pod, int64_t min_ready_seconds);

/* The pod is gone. */
void availability_forget(availability_t *self, const json_t *pod);

#endif
