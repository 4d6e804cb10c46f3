/* internal - the kubelet's own, shared by its files. */
#ifndef CLUSTER_ENV_KUBELET_INTERNAL_H
#define CLUSTER_ENV_KUBELET_INTERNAL_H

#include "services/cluster/env/kubelet/fronts.h"
#include "services/cluster/env/kubelet/kubelet.h"
#include "services/cluster/env/kubelet/names.h"
#include "services/cluster/env/kubelet/pod.h"
#include "services/cluster/env/kubelet/policies.h"

enum { NODE_LIMIT = 64 };

struct kubelet {
    pod_context_t context;
    zhashx_t *pods; /* "namespace/name" -> pod_t, owned */
    store_watch_t *pod_watch;
    store_watch_t *config_map_watch;
    store_watch_t *secret_watch;
    store_watch_t *volume_watch;
    fronts_t *fronts;
    names_t *names;
    policies_t *policies;
    int node_count;
    bool is_stopped[NODE_LIMIT]; /* nodes whose kubelet does nothing */
    int heartbeat_timer;
    int64_t heartbeats;
    int last_host[NODE_LIMIT]; /* of each node's pod addresses */
    http_t *proxy;             /* for node_ops.http */
};

/* node_ops.c: what is meant by an object of the store; NULL: it is not here. */
pod_t *kubelet_find_pod(kubelet_t *self, const json_t *pod_object);
pod_container_t *kubelet_find_container(
    kubelet_t *self, const json_t *pod_object, const char *container);

/* nodes.c: the Node objects, with their leases and heartbeats. */
void nodes_begin(kubelet_t *self);
void nodes_end(kubelet_t *self);
/* One heartbeat out of turn. */
void nodes_beat(kubelet_t *self);
/* The node's place, or -1 if it is none of ours. */
int nodes_index(const kubelet_t *self, const char *name);
const char *nodes_name(int index);
const char *nodes_address(int index);

/* network.c: addresses of nodes and Services, names, policies. */
int network_begin(kubelet_t *self, err_t *err);
void network_end(kubelet_t *self);

/* metrics_text.c: what cAdvisor would say of a node's containers; for free(). */
char *metrics_text(kubelet_t *self, const char *node, size_t *size_p);

#endif
