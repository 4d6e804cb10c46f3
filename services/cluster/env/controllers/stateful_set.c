/* StatefulSet: pods with names, one after the other. The steps are in stateful_steps.c; here is
 * when they are taken, and the status. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/controller.h"
#include "services/cluster/env/controllers/owned.h"
#include "services/cluster/env/controllers/pods.h"
#include "services/cluster/env/controllers/revisions.h"
#include "services/cluster/env/controllers/stateful.h"
#include "services/cluster/env/controllers/work_queue.h"
#include "services/cluster/env/object.h"

typedef struct stateful_sets {
    store_t *store;
    const kind_t *kind;
    const kind_t *pod_kind;
    work_queue_t *queue;
    store_watch_t *watch;
    store_watch_t *pod_watch;
    availability_t *availability;
} stateful_sets_t;

/* ---- status ------------------------------------------------------------------------------- */

typedef struct counts {
    json_int_t replicas, ready, available, current, updated;
} counts_t;

static counts_t count(stateful_t *self)
{
    counts_t counts = {0};
    json_auto_t *pods = owned_claim(self->store, kind_find("Pod"), self->set);
    size_t i = 0;
    json_t *pod = NULL;
    json_array_foreach(pods, i, pod)
    {
        counts.replicas++;
        counts.ready += pod_is_ready(pod);
        counts.available += stateful_is_available(self, pod);
        counts.current += !object_is_deleted(pod) && stateful_is_of(pod, self->current);
        counts.updated += !object_is_deleted(pod) && stateful_is_of(pod, self->update);
    }
    return counts;
}

static void put_status(stateful_t *self)
{
    counts_t counts = count(self);
    json_int_t wanted = (json_int_t)self->count;
    const json_t *current = self->current;
    if (stateful_is_rolling(self) && counts.updated == wanted && counts.ready == wanted
        && counts.replicas == wanted) {
        counts.current = counts.updated;
        current = self->update;
    }
    json_t *status = json_pack("{s:I, s:I, s:I, s:s, s:s, s:I}", "observedGeneration",
        (json_int_t)object_integer(self->set, "metadata.generation", 0), "replicas",
        counts.replicas, "availableReplicas", counts.available, "currentRevision",
        object_name(current), "updateRevision", object_name(self->update), "collisionCount",
        (json_int_t)self->collisions);
    if (counts.ready)
        json_object_set_new(status, "readyReplicas", json_integer(counts.ready));
    if (counts.current)
        json_object_set_new(status, "currentReplicas", json_integer(counts.current));
    if (counts.updated)
        json_object_set_new(status, "updatedReplicas", json_integer(counts.updated));
    json_t *copy = object_copy(self->set, "");
    json_object_del(copy, "status");
    json_object_set_new(copy, "status", status);
    (void)store_update(self->store, kind_find("StatefulSet"), copy, STORE_STATUS, NULL);
}

static void trim(stateful_t *self)
{
    json_auto_t *live =
        json_pack("{s:b, s:b}", object_name(self->current), 1, object_name(self->update), 1);
    size_t i = 0;
    json_t *pod = NULL;
    json_array_foreach(self->pods, i, pod)
    {
        const char *revision = object_label(pod, "controller-revision-hash");
        if (revision)
            json_object_set_new(live, revision, json_true());
    }
    revisions_trim(self->store, self->set, live);
}

/* ---- reconciling -------------------------------------------------------------------------- */

static void reconcile(void *arg, const char *namespace, const char *name)
{
    stateful_sets_t *self = arg;
    json_t *set = store_get(self->store, self->kind, namespace, name);
    stateful_t look;
    if (!set)
        return;
    if (stateful_init(&look, self->store, self->availability, set)) {
        if (!object_is_deleted(set))
            stateful_act(&look);
        put_status(&look);
        trim(&look);
    }
    if (look.wait_ms > 0)
        work_queue_add_after(self->queue, namespace, name, look.wait_ms);
    stateful_done(&look);
}

static void add_owner(void *arg, json_t *set)
{
    work_queue_add_object(((stateful_sets_t *)arg)->queue, set);
}

static void on_set(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    (void)kind;
    (void)old;
    if (change != STORE_DELETED)
        add_owner(arg, object);
}

static void on_pod(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    stateful_sets_t *self = arg;
    const char *owner = owned_by(object, "StatefulSet");
    const char *old_owner = old ? owned_by(old, "StatefulSet") : NULL;
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

static void *open_stateful_sets(const controller_deps_t *deps)
{
    stateful_sets_t *self = xcalloc(1, sizeof(*self));
    self->store = deps->store;
    self->kind = kind_find("StatefulSet");
    self->pod_kind = kind_find("Pod");
    self->queue = work_queue_new(deps->ev, reconcile, self);
    self->availability = availability_new(deps->ev);
    self->watch = store_watch(deps->store, self->kind, on_set, self);
    self->pod_watch = store_watch(deps->store, self->pod_kind, on_pod, self);
    store_each(deps->store, self->kind, NULL, add_owner, self);
    return self;
}

static void close_stateful_sets(void *arg)
{
    stateful_sets_t *self = arg;
    store_watch_end(&self->watch);
    store_watch_end(&self->pod_watch);
    work_queue_destroy(&self->queue);
    availability_destroy(&self->availability);
    free(self);
}

const controller_kind_t controller_stateful_set = {
    .name = "stateful-set",
    .open = open_stateful_sets,
    .close = close_stateful_sets,
};
