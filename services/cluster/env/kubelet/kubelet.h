/* kubelet - runs the pods that are bound to the environment's nodes, and says how they are.
 *
 * One for all virtual nodes of an environment. It also keeps the network in step with Services and
 * endpoints, answers names, and answers what the API server asks of nodes. */
#ifndef CLUSTER_ENV_KUBELET_KUBELET_H
#define CLUSTER_ENV_KUBELET_KUBELET_H

#include "base/err.h"
#include "base/ev.h"
#include "services/cluster/env/api/node_ops.h"
#include "services/cluster/env/auth/tokens.h"
#include "services/cluster/env/store.h"
#include "services/cluster/env/usage.h"
#include "services/cluster/runtime/runtime.h"

typedef struct kubelet kubelet_t;

typedef struct kubelet_config {
    const json_t *images; /* entries of the images.yaml files */
    const char *bundles;  /* folder of the bundles */
    const char *work_dir; /* for volumes */
    tokens_t *tokens;     /* of ServiceAccounts; borrowed */
    int node_count;
    int64_t backoff_ms;     /* first CrashLoopBackOff; 0: 10 s, as the real one */
    int64_t backoff_max_ms; /* 0: 300 s */
} kubelet_config_t;

/* Creates the Node objects and begins to watch. store and runtime are borrowed. */
kubelet_t *kubelet_new(
    ev_t *ev, store_t *store, runtime_t *runtime, const kubelet_config_t *config, err_t *err);

/* Stops a node's kubelet, or starts it again: a stopped one sends no heartbeats, starts and ends no
 * pod and reports nothing; what runs on the node runs on. ERR_NOT_FOUND: no such node. */
int kubelet_set_node(kubelet_t *self, const char *node, bool is_running, err_t *err);

/* Ends all containers. */
void kubelet_destroy(kubelet_t **self_p);

/* The counters of a container, as usage.h asks for them; the kubelet is the argument. */
bool kubelet_read_usage(
    void *arg, const json_t *pod, const char *container, usage_reading_t *reading);

/* For the API server, with the kubelet as its argument. */
const node_ops_t *kubelet_node_ops(void);

#endif
