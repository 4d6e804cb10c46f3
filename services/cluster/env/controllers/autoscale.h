/* autoscale - one HorizontalPodAutoscaler while the controller looks at it. Private to autoscal*.c.
 */
#ifndef CLUSTER_ENV_CONTROLLERS_AUTOSCALE_H
#define CLUSTER_ENV_CONTROLLERS_AUTOSCALE_H

#include "services/cluster/env/store.h"
#include "services/cluster/env/usage.h"

/* What its metrics call for. */
typedef struct advice {
    int64_t replicas;
    char *because;  /* the metric that decided, or NULL */
    char *problem;  /* why nothing could be computed, or NULL */
    json_t *status; /* currentMetrics */
    size_t broken;  /* metrics without a value */
    size_t count;
} advice_t;

/* By the pods of target, which has so many replicas now. Give it back with advice_done(). */
advice_t advice_new(
    store_t *store, usage_t *usage, const json_t *autoscaler, const json_t *target, int64_t now);
void advice_done(advice_t *self);

#endif
