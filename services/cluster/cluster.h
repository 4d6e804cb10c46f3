/* cluster - the bus service that owns the environments of this node. */
#ifndef CLUSTER_CLUSTER_H
#define CLUSTER_CLUSTER_H

#include "base/err.h"
#include "bus/service.h"

typedef struct cluster cluster_t;

typedef struct cluster_config {
    const char *program; /* aiopslab-env */
    const char *bundles; /* folder */
    const char *kubectl; /* for agents' sandboxes, or "" */
    int64_t ready_timeout_ms;
    int64_t backoff_ms;     /* first CrashLoopBackOff of environments; 0: the real one's */
    int64_t backoff_max_ms; /* 0: the real one's */
} cluster_config_t;

/* Serves env.* requests. Sweeps what a predecessor has left. Strings of config are copied. */
cluster_t *cluster_new(const service_t *service, const cluster_config_t *config, err_t *err);

/* Ends all environments. */
void cluster_destroy(cluster_t **self_p);

#endif
