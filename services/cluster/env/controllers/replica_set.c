/* ReplicaSet: as many pods as wished. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/availability.h"
#include "services/cluster/env/controllers/conditions.h"
#include "services/cluster/env/controllers/controller.h"
#include "services/cluster/env/controllers/owned.h"
#include "services/cluster/env/controllers/pods.h"
#include "services/cluster/env/controllers/work_queue.h"
#include "services/cluster/env/events.h"
#include "services/cluster/env/object.h"

enum {
    BURST = 500,     /* pods made or deleted in one go */
    RETRY_MS = 5000, /* after a pod that could not be made */
};

static const event_source_t source = {"replicaset-controller", NULL};

typedef struct replica_sets {
    store_t *store;
    const kind_t *kind;
    const kind_t *pod_kind;
    work_queue_t *queue;
    store_watch_t *set_watch;
    store_watch_t *pod_watch;
    availability_t *availability;
} replica_sets_t;

/* ---- pods --------------------------------------------------------------------------------- */

static int create_pods(replica_sets_t *self, const json_t *set, int64_t count, err_t *err)
{
    for (int64_t i = 0; i < count && i < BURST; i++) {
        json_t *stored = NULL;
        int rc = store_create(self->store, self->pod_kind,
            pod_from_template(set, object_at(set, "spec.template")), &stored, err);
        if (rc < 0) {
            event_record(self->store, source, set, NULL, "Warning", "FailedCreate",
                "Error creating: %s", err->text);
            return rc;
        }
        event_record(self->store, source, set, NULL, "Normal", "SuccessfulCreate",
            "Created pod: %s", object_name(stored));
    }
    return 0;
}

static void delete_pods(replica_sets_t *self, const json_t *set, const json_t *active, size_t count)
{
    size_t active_count = json_array_size(active);
    AUTO_FREE json_t **ranked = xcalloc(active_count + 1, sizeof(*ranked));
    for (size_t i = 0; i < active_count; i++)
        ranked[i] = json_array_get(active, i);
    pods_rank_for_deletion(ranked, active_count);
    for (size_t i = 0; i < count && i < BURST; i++) {
        const char *name = object_name(ranked[i]);
        if (store_delete(self->store, self->pod_kind, object_namespace(set), name, NULL, NULL) == 0)
            event_record(self->store, source, set, NULL, "Normal", "SuccessfulDelete",
                "Deleted pod: %s", name);
    }
}

static json_t *active_of(const json_t *pods)
{
    json_t *active = json_array();
    size_t i = 0;
    json_t *pod = NULL;
    json_array_foreach(pods, i, pod)
    {
        if (pod_is_active(pod))
            json_array_append(active, pod);
    }
    return active;
}

/* ---- status ------------------------------------------------------------------------------- */

static bool has_labels(const json_t *pod, const json_t *wanted)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)wanted, key, value)
    {
        if (!json_equal(json_object_get(object_at(pod, "metadata.labels"), key), value))
            return false;
    }
    return true;
}

static json_t *count_status(replica_sets_t *self, const json_t *set, const json_t *active)
{
    json_int_t labeled = 0, ready = 0, available = 0;
    size_t i = 0;
    json_t *pod = NULL;
    json_array_foreach(active, i, pod)
    {
        labeled += has_labels(pod, object_at(set, "spec.template.metadata.labels"));
        int64_t wait_ms = availability_wait(
            self->availability, pod, object_integer(set, "spec.minReadySeconds", 0));
        ready += wait_ms >= 0;
        available += wait_ms == 0;
        if (wait_ms > 0)
            work_queue_add_after(self->queue, object_namespace(set), object_name(set), wait_ms);
    }
    json_t *status = json_pack("{s:I}", "replicas", (json_int_t)json_array_size(active));
    if (labeled)
        json_object_set_new(status, "fullyLabeledReplicas", json_integer(labeled));
    if (ready)
        json_object_set_new(status, "readyReplicas", json_integer(ready));
    if (available)
        json_object_set_new(status, "availableReplicas", json_integer(available));
    return status;
}

static void put_status(
    replica_sets_t *self, const json_t *set, const json_t *active, const err_t *failure)
{
    json_t *status = count_status(self, set, active);
    json_object_set_new(
        status, "observedGeneration", json_integer(object_integer(set, "metadata.generation", 0)));
    json_t *known = object_at(set, "status.conditions");
    json_t *conditions = known ? json_copy(known) : json_array();
    if (failure)
        (void)condition_set(conditions,
            (condition_t){"ReplicaFailure", "True", "FailedCreate", failure->text, false});
    else
        condition_remove(conditions, "ReplicaFailure");
    if (json_array_size(conditions))
        json_object_set(status, "conditions", conditions);
    json_decref(conditions);
    json_t *copy = object_copy(set, "");
    json_object_set_new(copy, "status", status);
    (void)store_update(self->store, self->kind, copy, STORE_STATUS, NULL); /* it is there */
}

/* ---- reconciling ------------------------------------------------------------------------------
 */

static void reconcile(void *arg, const char *namespace, const char *name)
{
    replica_sets_t *self = arg;
    json_auto_t *set = json_incref(store_get(self->store, self->kind, namespace, name));
    if (!set)
        return;
    json_auto_t *pods = owned_claim(self->store, self->pod_kind, set);
    json_auto_t *active = active_of(pods);
    int64_t missing = object_integer(set, "spec.replicas", 1) - (int64_t)json_array_size(active);
    err_t err = {0};
    if (!object_is_deleted(set) && missing > 0)
        (void)create_pods(self, set, missing, &err);
    if (!object_is_deleted(set) && missing < 0)
        delete_pods(self, set, active, (size_t)-missing);
    put_status(self, set, active, err.code ? &err : NULL);
    if (err.code)
        work_queue_add_after(self->queue, namespace, name, RETRY_MS);
}

static void on_set(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    replica_sets_t *self = arg;
    (void)change;
    (void)kind;
    (void)old;
    work_queue_add_object(self->queue, object);
}

static void add_owner(void *arg, json_t *set)
{
    work_queue_add_object(((replica_sets_t *)arg)->queue, set);
}

static void on_pod(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    replica_sets_t *self = arg;
    const char *owner = owned_by(object, "ReplicaSet");
    const char *old_owner = old ? owned_by(old, "ReplicaSet") : NULL;
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

static void *open_replica_sets(const controller_deps_t *deps)
{
    replica_sets_t *self = xcalloc(1, sizeof(*self));
    self->store = deps->store;
    self->kind = kind_find("ReplicaSet");
    self->pod_kind = kind_find("Pod");
    self->queue = work_queue_new(deps->ev, reconcile, self);
    self->availability = availability_new(deps->ev);
    self->set_watch = store_watch(deps->store, self->kind, on_set, self);
    self->pod_watch = store_watch(deps->store, self->pod_kind, on_pod, self);
    store_each(deps->store, self->kind, NULL, add_owner, self);
    return self;
}

static void close_replica_sets(void *arg)
{
    replica_sets_t *self = arg;
    store_watch_end(&self->set_watch);
    store_watch_end(&self->pod_watch);
    work_queue_destroy(&self->queue);
    availability_destroy(&self->availability);
    free(self);
}

const controller_kind_t controller_replica_set = {
    .name = "replica-set",
    .open = open_replica_sets,
    .close = close_replica_sets,
};
