/* Nodes that fall silent: what is said of them, what becomes of their pods.
 *
 * As kube-controller-manager's node lifecycle controller: a node whose lease is not renewed for 40
 * s is not ready as far as anybody knows; taints follow from conditions; pods that do not tolerate
 * NoExecute taints, or only for so long, are deleted. Nodes without a lease are left alone. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/controller.h"
#include "services/cluster/env/controllers/node_taints.h"
#include "services/cluster/env/events.h"
#include "services/cluster/env/object.h"

#include <string.h>

enum { GRACE_MS = 40000, LOOK_MS = 5000 };

static const event_source_t source = {"node-controller", NULL};

typedef struct nodes {
    ev_t *ev;
    store_t *store;
    const kind_t *node_kind;
    const kind_t *pod_kind;
    json_t *seen; /* node -> when its lease was renewed last, by the loop's clock */
    int timer;
    store_watch_t *lease_watch;
    store_watch_t *node_watch;
    taint_eviction_t *eviction;
} nodes_t;

/* ---- silence ----------------------------------------------------------------------------------
 */

static void mark_pod(void *arg, json_t *pod)
{
    nodes_t *self = arg;
    const json_t *ready = object_condition(pod, "Ready");
    if (strcmp(object_string(ready, "status"), "True") != 0)
        return;
    json_t *copy = object_copy(pod, "status");
    json_t *conditions = json_deep_copy(object_at(pod, "status.conditions"));
    size_t i;
    json_t *condition;
    json_array_foreach(conditions, i, condition)
    {
        if (strcmp(object_string(condition, "type"), "Ready") != 0)
            continue;
        json_object_set_new(condition, "status", json_string("False"));
        json_object_set_new(condition, "lastTransitionTime", object_time_now());
    }
    object_set(copy, "status.conditions", conditions);
    (void)store_update(self->store, self->pod_kind, copy, STORE_STATUS, NULL); /* or gone */
    event_record(self->store, source, pod, NULL, "Warning", "NodeNotReady", "Node is not ready");
}

typedef struct visit {
    nodes_t *nodes;
    const char *node;
} visit_t;

static void mark_pod_of_node(void *arg, json_t *pod)
{
    const visit_t *visit = arg;
    if (strcmp(object_string(pod, "spec.nodeName"), visit->node) == 0)
        mark_pod(visit->nodes, pod);
}

static json_t *unknown_conditions(const json_t *node)
{
    json_t *conditions = json_deep_copy(object_at(node, "status.conditions"));
    size_t i;
    json_t *condition;
    json_array_foreach(conditions, i, condition)
    {
        json_object_set_new(condition, "status", json_string("Unknown"));
        json_object_set_new(condition, "reason", json_string("NodeStatusUnknown"));
        json_object_set_new(
            condition, "message", json_string("Kubelet stopped posting node status."));
        json_object_set_new(condition, "lastTransitionTime", object_time_now());
    }
    return conditions;
}

static void lose(nodes_t *self, json_t *node)
{
    json_auto_t *kept = json_incref(node);
    json_t *copy = object_copy(kept, "status");
    object_set(copy, "status.conditions", unknown_conditions(kept));
    if (store_update(self->store, self->node_kind, copy, STORE_STATUS, NULL) < 0)
        return; /* changed meanwhile: looked at again soon */
    event_record(self->store, source, kept, NULL, "Normal", "NodeNotReady",
        "Node %s status is now: NodeNotReady", object_name(kept));
    visit_t visit = {.nodes = self, .node = object_name(kept)};
    store_each(self->store, self->pod_kind, NULL, mark_pod_of_node, &visit);
}

static void look_at(void *arg, json_t *node)
{
    nodes_t *self = arg;
    const json_t *seen = json_object_get(self->seen, object_name(node));
    const json_t *ready = object_condition(node, "Ready");
    bool is_silent = seen && ev_now(self->ev) - json_integer_value(seen) > GRACE_MS;
    if (is_silent && strcmp(object_string(ready, "status"), "Unknown") != 0)
        lose(self, node);
}

static void on_look(void *arg)
{
    nodes_t *self = arg;
    self->timer = ev_after(self->ev, LOOK_MS, on_look, self);
    store_each(self->store, self->node_kind, NULL, look_at, self);
}

/* ---- changes ----------------------------------------------------------------------------------
 */

static void on_lease(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    (void)kind, (void)old;
    nodes_t *self = arg;
    if (strcmp(object_namespace(object), "kube-node-lease") != 0)
        return;
    if (change == STORE_DELETED)
        json_object_del(self->seen, object_name(object));
    else
        json_object_set_new(self->seen, object_name(object), json_integer(ev_now(self->ev)));
    if (!self->timer && change != STORE_DELETED)
        self->timer = ev_after(self->ev, LOOK_MS, on_look, self);
}

static void on_node(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    (void)kind, (void)old;
    nodes_t *self = arg;
    if (change != STORE_DELETED)
        node_taints_sync(self->store, object);
}

/* ---- life cycle -------------------------------------------------------------------------------
 */

static void *open_nodes(const controller_deps_t *deps)
{
    nodes_t *self = xcalloc(1, sizeof(*self));
    *self = (nodes_t){.ev = deps->ev,
        .store = deps->store,
        .node_kind = kind_find("Node"),
        .pod_kind = kind_find("Pod"),
        .seen = json_object()};
    self->lease_watch = store_watch(deps->store, kind_find("Lease"), on_lease, self);
    self->node_watch = store_watch(deps->store, self->node_kind, on_node, self);
    self->eviction = taint_eviction_new(deps->ev, deps->store);
    return self;
}

static void close_nodes(void *arg)
{
    nodes_t *self = arg;
    store_watch_end(&self->lease_watch);
    store_watch_end(&self->node_watch);
    taint_eviction_destroy(&self->eviction);
    ev_cancel(self->ev, self->timer);
    json_decref(self->seen);
    free(self);
}

const controller_kind_t controller_node_lifecycle = {
    .name = "node-controller",
    .open = open_nodes,
    .close = close_nodes,
};
