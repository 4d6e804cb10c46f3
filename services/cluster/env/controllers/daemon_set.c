/* DaemonSet: one pod on every node that it fits. When pods are made and taken away is here, how a
 * new template spreads in daemon_roll.c. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/controller.h"
#include "services/cluster/env/controllers/daemon.h"
#include "services/cluster/env/controllers/fit.h"
#include "services/cluster/env/controllers/owned.h"
#include "services/cluster/env/controllers/pods.h"
#include "services/cluster/env/controllers/revisions.h"
#include "services/cluster/env/controllers/work_queue.h"
#include "services/cluster/env/object.h"

#define HASH_LABEL "controller-revision-hash"

enum { RETRY_MS = 5000, FAILED_WAIT_MS = 1000 };

static const event_source_t source = {"daemonset-controller", NULL};

typedef struct daemon_sets {
    ev_t *ev;
    store_t *store;
    const kind_t *kind;
    const kind_t *node_kind;
    const kind_t *pod_kind;
    work_queue_t *queue;
    store_watch_t *watch;
    store_watch_t *node_watch;
    store_watch_t *pod_watch;
    availability_t *availability;
    zhashx_t *failures; /* int64_t by set uid and node: when a failed pod was last taken away */
} daemon_sets_t;

/* ---- looking ------------------------------------------------------------------------------ */

/* The node that a pod is on, or is meant for. */
static const char *node_of(const json_t *pod)
{
    const char *node = object_string(pod, "spec.nodeName");
    const json_t *terms =
        object_at(pod, "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
                       "nodeSelectorTerms");
    const json_t *fields = json_object_get(json_array_get(terms, 0), "matchFields");
    const json_t *values = json_object_get(json_array_get(fields, 0), "values");
    const char *wanted = json_string_value(json_array_get(values, 0));
    return *node ? node : wanted ? wanted : "";
}

static void add_node(void *arg, json_t *node)
{
    daemon_t *self = arg;
    json_auto_t *pod = daemon_pod(self, object_name(node));
    daemon_node_t *entry = &self->nodes[self->count++];
    *entry = (daemon_node_t){.node = node, .pods = json_array()};
    fit_daemon(node, pod, &entry->should_run, &entry->may_stay);
}

static void sort_pods(daemon_t *self)
{
    size_t i = 0;
    json_t *pod = NULL;
    json_array_foreach(self->pods, i, pod)
    {
        for (size_t j = 0; j < self->count; j++) {
            if (strcmp(object_name(self->nodes[j].node), node_of(pod)) == 0)
                json_array_append(self->nodes[j].pods, pod);
        }
    }
}

static void count_node(void *arg, json_t *node)
{
    (void)node;
    (*(size_t *)arg)++;
}

static void daemon_load(daemon_t *self)
{
    size_t count = 0;
    store_each(self->store, kind_find("Node"), NULL, count_node, &count);
    self->nodes = xcalloc(count + 1, sizeof(*self->nodes));
    self->count = 0;
    store_each(self->store, kind_find("Node"), NULL, add_node, self);
    self->pods = owned_claim(self->store, kind_find("Pod"), self->set);
    sort_pods(self);
}

static void daemon_unload(daemon_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        json_decref(self->nodes[i].pods);
    free(self->nodes);
    json_decref(self->pods);
}

/* ---- making and taking away --------------------------------------------------------------- */

void daemon_create(daemon_t *self, const daemon_node_t *node)
{
    err_t err = {0};
    json_t *stored = NULL;
    json_t *pod = daemon_pod(self, object_name(node->node));
    if (store_create(self->store, kind_find("Pod"), pod, &stored, &err) < 0) {
        event_record(self->store, source, self->set, NULL, "Warning", "FailedCreate",
            "Error creating: %s", err.text);
        self->wait_ms = RETRY_MS;
        return;
    }
    event_record(self->store, source, self->set, NULL, "Normal", "SuccessfulCreate",
        "Created pod: %s", object_name(stored));
}

void daemon_delete(daemon_t *self, const json_t *pod)
{
    AUTO_FREE char *name = xstrdup(object_name(pod));
    if (!object_is_deleted(pod)
        && store_delete(self->store, kind_find("Pod"), object_namespace(pod), name, NULL, NULL)
               == 0)
        event_record(self->store, source, self->set, NULL, "Normal", "SuccessfulDelete",
            "Deleted pod: %s", name);
}

/* A pod that ended is taken away, at most one in a second on each node. */
static void drop_ended(daemon_sets_t *owner, daemon_t *self, const daemon_node_t *node, json_t *pod)
{
    bool is_failed = strcmp(object_string(pod, "status.phase"), "Failed") == 0;
    AUTO_FREE char *key = xasprintf("%s %s", object_uid(self->set), object_name(node->node));
    int64_t *last = zhashx_lookup(owner->failures, key);
    int64_t now = ev_now(owner->ev);
    if (last && now - *last < FAILED_WAIT_MS) {
        self->wait_ms = FAILED_WAIT_MS - (now - *last);
        return;
    }
    int64_t *mark = xcalloc(1, sizeof(*mark));
    *mark = now;
    zhashx_update(owner->failures, key, mark);
    event_record(self->store, source, self->set, NULL, is_failed ? "Warning" : "Normal",
        is_failed ? "FailedDaemonPod" : "SucceededDaemonPod",
        is_failed ? "Found failed daemon pod %s/%s on node %s, will try to kill it"
                  : "Found succeeded daemon pod %s/%s on node %s, will try to delete it",
        object_namespace(pod), object_name(pod), object_name(node->node));
    daemon_delete(self, pod);
}

static void manage_node(daemon_sets_t *owner, daemon_t *self, const daemon_node_t *node)
{
    size_t running = 0;
    size_t i = 0;
    json_t *pod = NULL;
    json_array_foreach(node->pods, i, pod)
    {
        if (object_is_deleted(pod) || !node->may_stay) {
            running += object_is_deleted(pod);
            daemon_delete(self, pod);
        } else if (pod_is_ended(pod)) {
            running++; /* its deletion brings us back */
            drop_ended(owner, self, node, pod);
        } else {
            running++;
        }
    }
    if (node->should_run && running == 0)
        daemon_create(self, node);
    if (node->may_stay)
        daemon_drop_doubles(self, node);
}

/* Pods whose node is gone. */
static void drop_lost(daemon_t *self)
{
    size_t i = 0;
    json_t *pod = NULL;
    json_array_foreach(self->pods, i, pod)
    {
        bool is_lost =
            *node_of(pod) && !store_get(self->store, kind_find("Node"), NULL, node_of(pod));
        if (is_lost)
            daemon_delete(self, pod);
    }
}

/* ---- status ------------------------------------------------------------------------------- */

static void set_count(json_t *status, const char *key, json_int_t count)
{
    if (count)
        json_object_set_new(status, key, json_integer(count));
}

static void put_status(daemon_t *self, const kind_t *kind)
{
    json_int_t desired = 0, current = 0, stray = 0, ready = 0, available = 0, updated = 0;
    for (size_t i = 0; i < self->count; i++) {
        const daemon_node_t *node = &self->nodes[i];
        const json_t *pod = daemon_best_pod(node);
        desired += node->should_run;
        stray += !node->should_run && pod;
        if (!node->should_run || !pod)
            continue;
        int64_t wait_ms = daemon_wait(self, pod);
        current++;
        ready += wait_ms >= 0;
        available += wait_ms == 0;
        updated += daemon_is_updated(self, pod);
        if (wait_ms > 0 && (!self->wait_ms || wait_ms < self->wait_ms))
            self->wait_ms = wait_ms;
    }
    json_t *status = json_pack("{s:I, s:I, s:I, s:I, s:I}", "currentNumberScheduled", current,
        "numberMisscheduled", stray, "desiredNumberScheduled", desired, "numberReady", ready,
        "observedGeneration", (json_int_t)object_integer(self->set, "metadata.generation", 0));
    set_count(status, "updatedNumberScheduled", updated);
    set_count(status, "numberAvailable", available);
    set_count(status, "numberUnavailable", desired - available);
    set_count(status, "collisionCount", (json_int_t)self->collisions);
    json_t *copy = object_copy(self->set, "");
    json_object_set_new(copy, "status", status);
    (void)store_update(self->store, kind, copy, STORE_STATUS, NULL); /* it is there */
}

/* ---- reconciling -------------------------------------------------------------------------- */

static void trim(daemon_t *self)
{
    json_auto_t *live = json_pack("{s:b}", object_name(self->revision), 1);
    size_t i = 0;
    json_t *pod = NULL;
    json_array_foreach(self->pods, i, pod)
    {
        const char *hash = object_label(pod, HASH_LABEL);
        AUTO_FREE char *name = xasprintf("%s-%s", object_name(self->set), hash ? hash : "");
        json_object_set_new(live, name, json_true());
    }
    revisions_trim(self->store, self->set, live);
}

static void act(daemon_sets_t *owner, daemon_t *self)
{
    daemon_load(self);
    for (size_t i = 0; i < self->count; i++)
        manage_node(owner, self, &self->nodes[i]);
    drop_lost(self);
    daemon_unload(self);
    daemon_load(self);
    daemon_roll(self);
    daemon_unload(self);
}

static void reconcile(void *arg, const char *namespace, const char *name)
{
    daemon_sets_t *self = arg;
    json_auto_t *set = json_incref(store_get(self->store, self->kind, namespace, name));
    if (!set)
        return;
    daemon_t daemon = {.store = self->store, .availability = self->availability, .set = set};
    daemon.collisions = object_integer(set, "status.collisionCount", 0);
    daemon.revision = revisions_ensure(self->store, set, HASH_LABEL, &daemon.collisions);
    if (!daemon.revision)
        return;
    if (!object_is_deleted(set))
        act(self, &daemon);
    daemon_load(&daemon);
    put_status(&daemon, self->kind);
    trim(&daemon);
    daemon_unload(&daemon);
    json_decref(daemon.revision);
    if (daemon.wait_ms > 0)
        work_queue_add_after(self->queue, namespace, name, daemon.wait_ms);
}

static void add_owner(void *arg, json_t *set)
{
    work_queue_add_object(((daemon_sets_t *)arg)->queue, set);
}

static void on_set(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    (void)kind;
    (void)old;
    if (change != STORE_DELETED)
        add_owner(arg, object);
}

/* What counts of a node are its labels and taints. */
static void on_node(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    daemon_sets_t *self = arg;
    (void)kind;
    if (change != STORE_MODIFIED
        || !json_equal(json_object_get(object, "spec"), json_object_get(old, "spec"))
        || !json_equal(object_at(object, "metadata.labels"), object_at(old, "metadata.labels")))
        store_each(self->store, self->kind, NULL, add_owner, self);
}

static void on_pod(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    daemon_sets_t *self = arg;
    const char *owner = owned_by(object, "DaemonSet");
    const char *old_owner = old ? owned_by(old, "DaemonSet") : NULL;
    (void)kind;
    if (change == STORE_DELETED)
        availability_forget(self->availability, object);
    if (owner)
        work_queue_add(self->queue, object_namespace(object), owner);
    else if (!object_controller(object) && change != STORE_DELETED)
        owned_each_match(self->store, self->kind, object, add_owner, self);
    if (old_owner && (!owner || strcmp(owner, old_owner) != 0))
        work_queue_add(self->queue, object_namespace(object), old_owner);
}

/* ---- life cycle --------------------------------------------------------------------------- */

static void mark_destroy(void **item_p)
{
    free(*item_p);
    *item_p = NULL;
}

static void *open_daemon_sets(const controller_deps_t *deps)
{
    daemon_sets_t *self = xcalloc(1, sizeof(*self));
    self->ev = deps->ev;
    self->store = deps->store;
    self->kind = kind_find("DaemonSet");
    self->node_kind = kind_find("Node");
    self->pod_kind = kind_find("Pod");
    self->queue = work_queue_new(deps->ev, reconcile, self);
    self->availability = availability_new(deps->ev);
    self->failures = zhashx_new();
    zhashx_set_destructor(self->failures, mark_destroy);
    self->watch = store_watch(deps->store, self->kind, on_set, self);
    self->node_watch = store_watch(deps->store, self->node_kind, on_node, self);
    self->pod_watch = store_watch(deps->store, self->pod_kind, on_pod, self);
    store_each(deps->store, self->kind, NULL, add_owner, self);
    return self;
}

static void close_daemon_sets(void *arg)
{
    daemon_sets_t *self = arg;
    store_watch_end(&self->watch);
    store_watch_end(&self->node_watch);
    store_watch_end(&self->pod_watch);
    work_queue_destroy(&self->queue);
    availability_destroy(&self->availability);
    zhashx_destroy(&self->failures);
    free(self);
}

const controller_kind_t controller_daemon_set = {
    .name = "daemon-set",
    .open = open_daemon_sets,
    .close = close_daemon_sets,
};
