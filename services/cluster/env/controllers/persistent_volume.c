/* Volumes and claims: brings each other together, protects what is in use, lets go of what is not.
 */
#include "services/cluster/env/controllers/volumes.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/controller.h"
#include "services/cluster/env/controllers/work_queue.h"
#include "services/cluster/env/object.h"

#include <string.h>

typedef struct binder {
    store_t *store;
    const kind_t *claim_kind;
    const kind_t *volume_kind;
    work_queue_t *claims;
    work_queue_t *volumes;
    store_watch_t *watches[4];
} binder_t;

/* ---- protection --------------------------------------------------------------------------- */

static void let_go(binder_t *self, const kind_t *kind, json_t *object, const char *finalizer)
{
    json_t *copy = object_copy(object, "metadata");
    json_t *kept = json_array();
    size_t i;
    json_t *name;
    json_array_foreach(object_at(object, "metadata.finalizers"), i, name)
    {
        if (strcmp(json_string_value(name), finalizer) != 0)
            json_array_append(kept, name);
    }
    json_object_set_new(json_object_get(copy, "metadata"), "finalizers", kept);
    (void)store_update(self->store, kind, copy, STORE_ALL, NULL); /* gone or changed: told again */
}

typedef struct use {
    const char *claim;
    bool is_used;
} use_t;

/* Only pods that have a node have it mounted. */
static void look_for_user(void *arg, json_t *pod)
{
    use_t *self = arg;
    self->is_used =
        self->is_used || (*object_string(pod, "spec.nodeName") && pod_uses_claim(pod, self->claim));
}

static void protect_claim(binder_t *self, json_t *claim)
{
    use_t use = {.claim = object_name(claim)};
    store_each(self->store, kind_find("Pod"), object_namespace(claim), look_for_user, &use);
    if (!use.is_used)
        let_go(self, self->claim_kind, claim, "kubernetes.io/pvc-protection");
}

static void protect_volume(binder_t *self, json_t *volume)
{
    if (strcmp(object_string(volume, "status.phase"), "Bound") != 0)
        let_go(self, self->volume_kind, volume, "kubernetes.io/pv-protection");
}

/* ---- reconciling -------------------------------------------------------------------------- */

static void on_claim_due(void *arg, const char *namespace, const char *name)
{
    binder_t *self = arg;
    json_t *claim = store_get(self->store, self->claim_kind, namespace, name);
    if (!claim)
        return;
    if (object_is_deleted(claim))
        protect_claim(self, claim);
    else
        volume_sync_claim(self->store, claim);
}

static void on_volume_due(void *arg, const char *namespace, const char *name)
{
    (void)namespace;
    binder_t *self = arg;
    json_t *volume = store_get(self->store, self->volume_kind, NULL, name);
    if (!volume)
        return;
    if (object_is_deleted(volume))
        protect_volume(self, volume);
    else
        volume_sync_volume(self->store, volume);
}

/* ---- changes ------------------------------------------------------------------------------ */

static void on_claim(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    (void)change, (void)kind, (void)old;
    binder_t *self = arg;
    const char *volume = object_string(object, "spec.volumeName");
    work_queue_add_object(self->claims, object);
    if (*volume)
        work_queue_add(self->volumes, "", volume);
}

static void add_pending(void *arg, json_t *claim)
{
    binder_t *self = arg;
    if (!claim_is_bound(claim))
        work_queue_add_object(self->claims, claim);
}

static void on_volume(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    (void)kind, (void)old;
    binder_t *self = arg;
    const json_t *reference = object_at(object, "spec.claimRef");
    if (change != STORE_DELETED)
        work_queue_add(self->volumes, "", object_name(object));
    if (reference)
        work_queue_add(
            self->claims, object_string(reference, "namespace"), object_string(reference, "name"));
    else /* anybody's */
        store_each(self->store, self->claim_kind, NULL, add_pending, self);
}

static void on_class(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    (void)change, (void)kind, (void)object, (void)old;
    binder_t *self = arg;
    store_each(self->store, self->claim_kind, NULL, add_pending, self);
}

/* A claim may wait for a pod to come, or for its last one to go. */
static void on_pod(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    (void)kind, (void)old;
    binder_t *self = arg;
    size_t i;
    json_t *volume;
    if (change == STORE_MODIFIED)
        return;
    json_array_foreach(object_at(object, "spec.volumes"), i, volume)
    {
        AUTO_FREE char *claim = pod_volume_claim(object, volume);
        if (claim)
            work_queue_add(self->claims, object_namespace(object), claim);
    }
}

/* ---- life cycle --------------------------------------------------------------------------- */

static void add_claim(void *arg, json_t *claim)
{
    work_queue_add_object(((binder_t *)arg)->claims, claim);
}

static void add_volume(void *arg, json_t *volume)
{
    work_queue_add(((binder_t *)arg)->volumes, "", object_name(volume));
}

static void *open_binder(const controller_deps_t *deps)
{
    binder_t *self = xcalloc(1, sizeof(*self));
    self->store = deps->store;
    self->claim_kind = kind_find("PersistentVolumeClaim");
    self->volume_kind = kind_find("PersistentVolume");
    self->claims = work_queue_new(deps->ev, on_claim_due, self);
    self->volumes = work_queue_new(deps->ev, on_volume_due, self);
    self->watches[0] = store_watch(deps->store, self->claim_kind, on_claim, self);
    self->watches[1] = store_watch(deps->store, self->volume_kind, on_volume, self);
    self->watches[2] = store_watch(deps->store, kind_find("StorageClass"), on_class, self);
    self->watches[3] = store_watch(deps->store, kind_find("Pod"), on_pod, self);
    store_each(deps->store, self->claim_kind, NULL, add_claim, self);
    store_each(deps->store, self->volume_kind, NULL, add_volume, self);
    return self;
}

static void close_binder(void *arg)
{
    binder_t *self = arg;
    for (size_t i = 0; i < ARRAY_SIZE(self->watches); i++)
        store_watch_end(&self->watches[i]);
    work_queue_destroy(&self->claims);
    work_queue_destroy(&self->volumes);
    free(self);
}

const controller_kind_t controller_persistent_volume = {
    .name = "persistentvolume-controller",
    .open = open_binder,
    .close = close_binder,
};
