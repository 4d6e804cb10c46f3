#include "services/cluster/env/controllers/volume_fit.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/volume_match.h"
#include "services/cluster/env/object.h"

#include <string.h>

typedef struct visit {
    store_t *store;
    const json_t *pod;
    const json_t *node;
    char *reason;        /* owned */
    const char *refusal; /* static */
    bool is_settled;
} visit_t;

/* Calls fn for each claim of the pod; claim is NULL where there is none of that name. */
static void each_claim(visit_t *self, void (*fn)(visit_t *self, const char *name, json_t *claim))
{
    size_t i;
    json_t *volume;
    json_array_foreach(object_at(self->pod, "spec.volumes"), i, volume)
    {
        AUTO_FREE char *name = pod_volume_claim(self->pod, volume);
        if (name)
            fn(self, name,
                store_get(self->store, kind_find("PersistentVolumeClaim"),
                    object_namespace(self->pod), name));
    }
}

/* ---- any node ----------------------------------------------------------------------------- */

static void object_to_claim(visit_t *self, const char *name, json_t *claim)
{
    if (self->reason)
        return;
    if (!claim)
        self->reason = xasprintf("persistentvolumeclaim \"%s\" not found", name);
    else if (object_is_deleted(claim))
        self->reason = xasprintf("persistentvolumeclaim \"%s\" is being deleted", name);
    else if (strcmp(object_string(claim, "status.phase"), "Lost") == 0)
        self->reason = xasprintf("persistentvolumeclaim \"%s\" bound to non-existent "
                                 "persistentvolume \"%s\"",
            name, object_string(claim, "spec.volumeName"));
    else if (!claim_is_bound(claim) && !claim_waits_for_pod(self->store, claim))
        self->reason = xstrdup("pod has unbound immediate PersistentVolumeClaims");
}

char *volume_fit_reason(store_t *store, const json_t *pod)
{
    visit_t visit = {.store = store, .pod = pod};
    each_claim(&visit, object_to_claim);
    return visit.reason;
}

/* ---- one node ----------------------------------------------------------------------------- */

static bool can_be_made(visit_t *self, const json_t *claim)
{
    const json_t *class = store_get(self->store, kind_find("StorageClass"), NULL,
        object_string(claim, "spec.storageClassName"));
    return strcmp(object_string(class, "provisioner"), "kubernetes.io/no-provisioner") != 0;
}

static void object_to_node(visit_t *self, const char *name, json_t *claim)
{
    (void)name;
    const char *selected = object_annotation(claim, VOLUME_SELECTED_NODE);
    if (self->refusal)
        return;
    if (claim_is_bound(claim)) {
        const json_t *volume = store_get(self->store, kind_find("PersistentVolume"), NULL,
            object_string(claim, "spec.volumeName"));
        if (!volume_suits_node(volume, self->node))
            self->refusal = "node(s) had volume node affinity conflict";
    } else if (selected) { /* under way there */
        if (strcmp(selected, object_name(self->node)) != 0)
            self->refusal = "node(s) didn't find available persistent volumes to bind";
    } else if (!volume_find(self->store, claim, self->node) && !can_be_made(self, claim)) {
        self->refusal = "node(s) didn't find available persistent volumes to bind";
    }
}

const char *volume_fit_node(store_t *store, const json_t *pod, const json_t *node)
{
    visit_t visit = {.store = store, .pod = pod, .node = node};
    each_claim(&visit, object_to_node);
    return visit.refusal;
}

/* ---- the node chosen ---------------------------------------------------------------------- */

static void settle_claim(visit_t *self, const char *name, json_t *claim)
{
    (void)name;
    if (claim_is_bound(claim))
        return;
    self->is_settled = false;
    if (object_annotation(claim, VOLUME_SELECTED_NODE))
        return;
    json_t *copy = object_copy(claim, "metadata.annotations");
    json_object_set_new(object_at(copy, "metadata.annotations"), VOLUME_SELECTED_NODE,
        json_string(object_name(self->node)));
    (void)store_update(self->store, kind_find("PersistentVolumeClaim"), copy, STORE_ALL,
        NULL); /* changed meanwhile: the next round tries again */
}

bool volume_fit_settle(store_t *store, const json_t *pod, const json_t *node)
{
    visit_t visit = {.store = store, .pod = pod, .node = node, .is_settled = true};
    each_claim(&visit, settle_claim);
    return visit.is_settled;
}
