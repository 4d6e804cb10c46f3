/* One claim: from pending to bound, or lost. */
#include "services/cluster/env/controllers/volumes.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

#include <string.h>

static const event_source_t source = {"persistentvolume-controller", NULL};

/* ---- binding ------------------------------------------------------------------------------ */

static void annotate(json_t *object, const char *key, const char *value)
{
    json_t *metadata = json_object_get(object, "metadata");
    json_t *annotations = json_copy(json_object_get(metadata, "annotations"));
    if (!annotations)
        annotations = json_object();
    json_object_set_new(annotations, key, json_string(value));
    json_object_set_new(metadata, "annotations", annotations);
}

static json_t *reference_to(const json_t *claim)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "apiVersion", "v1", "kind",
        "PersistentVolumeClaim", "namespace", object_namespace(claim), "name", object_name(claim),
        "uid", object_uid(claim), "resourceVersion",
        object_string(claim, "metadata.resourceVersion"));
}

static bool take_volume(store_t *store, const json_t *volume, const json_t *claim)
{
    json_t *copy = json_deep_copy(volume);
    if (!object_at(volume, "spec.claimRef"))
        annotate(copy, "pv.kubernetes.io/bound-by-controller", "yes");
    object_set(copy, "spec.claimRef", reference_to(claim));
    object_set(copy, "status.phase", json_string("Bound"));
    object_set(copy, "status.lastPhaseTransitionTime", object_time_now());
    return store_update(store, kind_find("PersistentVolume"), copy, STORE_ALL, NULL) == 0;
}

static void bind_to(store_t *store, json_t *claim, json_t *volume)
{
    json_auto_t *taken = json_incref(volume);
    if (!take_volume(store, taken, claim))
        return; /* changed meanwhile: its change brings us back */
    json_t *copy = json_deep_copy(claim);
    annotate(copy, "pv.kubernetes.io/bind-completed", "yes");
    if (!*object_string(claim, "spec.volumeName"))
        annotate(copy, "pv.kubernetes.io/bound-by-controller", "yes");
    object_set(copy, "spec.volumeName", json_string(object_name(taken)));
    object_set(copy, "status",
        json_pack("{s:s, s:O, s:O}", "phase", "Bound", "accessModes",
            object_at(taken, "spec.accessModes"), "capacity", object_at(taken, "spec.capacity")));
    (void)store_update(store, kind_find("PersistentVolumeClaim"), copy, STORE_ALL, NULL);
}

/* ---- bound claims ------------------------------------------------------------------------- */

static void lose(store_t *store, json_t *claim)
{
    if (strcmp(object_string(claim, "status.phase"), "Lost") == 0)
        return;
    json_t *copy = object_copy(claim, "status");
    object_set(copy, "status", json_pack("{s:s}", "phase", "Lost"));
    (void)store_update(store, kind_find("PersistentVolumeClaim"), copy, STORE_STATUS, NULL);
    event_record(store, source, claim, NULL, "Warning", "ClaimLost",
        "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
}

static void sync_bound(store_t *store, json_t *claim)
{
    const json_t *volume = store_get(
        store, kind_find("PersistentVolume"), NULL, object_string(claim, "spec.volumeName"));
    if (!volume || !claim_is_meant(object_at(volume, "spec.claimRef"), claim))
        lose(store, claim);
}

/* ---- pending claims ----------------------------------------------------------------------- */

typedef struct consumer {
    const char *claim;
    const char *pod; /* that uses it and has no node yet, or NULL */
} consumer_t;

static void look_for_consumer(void *arg, json_t *pod)
{
    consumer_t *self = arg;
    if (!*object_string(pod, "spec.nodeName") && pod_uses_claim(pod, self->claim))
        self->pod = object_name(pod);
}

static void wait_for_pod(store_t *store, json_t *claim)
{
    consumer_t consumer = {.claim = object_name(claim)};
    store_each(store, kind_find("Pod"), object_namespace(claim), look_for_consumer, &consumer);
    if (consumer.pod)
        event_record(store, source, claim, NULL, "Normal", "WaitForPodScheduled",
            "waiting for pod %s to be scheduled", consumer.pod);
    else
        event_record(store, source, claim, NULL, "Normal", "WaitForFirstConsumer",
            "waiting for first consumer to be created before binding");
}

/* The claim names its volume: that, or nothing. */
static void bind_named(store_t *store, json_t *claim, const char *name)
{
    json_t *volume = store_get(store, kind_find("PersistentVolume"), NULL, name);
    const json_t *reference = object_at(volume, "spec.claimRef");
    if (!volume)
        return; /* its coming brings us back */
    if (reference && !claim_is_meant(reference, claim))
        event_record(store, source, claim, NULL, "Warning", "FailedBinding",
            "volume \"%s\" already bound to a different claim.", name);
    else
        bind_to(store, claim, volume);
}

static void make_volume(store_t *store, json_t *claim, const char *node)
{
    const char *class_name = object_string(claim, "spec.storageClassName");
    const json_t *class = store_get(store, kind_find("StorageClass"), NULL, class_name);
    if (!*class_name)
        event_record(store, source, claim, NULL, "Normal", "FailedBinding",
            "no persistent volumes available for this claim and no storage class is set");
    else if (!class)
        event_record(store, source, claim, NULL, "Warning", "ProvisioningFailed",
            "storageclass.storage.k8s.io \"%s\" not found", class_name);
    else
        volume_provision(store, claim, class, node);
}

static void sync_pending(store_t *store, json_t *claim)
{
    const char *named = object_string(claim, "spec.volumeName");
    const char *selected = object_annotation(claim, VOLUME_SELECTED_NODE);
    bool is_waiting = claim_waits_for_pod(store, claim) && !selected;
    const json_t *node = selected ? store_get(store, kind_find("Node"), NULL, selected) : NULL;
    if (*named) {
        bind_named(store, claim, named);
        return;
    }
    json_t *volume = volume_find(store, claim, node);
    bool is_reserved = object_at(volume, "spec.claimRef") != NULL;
    if (volume && (is_reserved || !is_waiting))
        bind_to(store, claim, volume);
    else if (is_waiting)
        wait_for_pod(store, claim);
    else
        make_volume(store, claim, selected);
}

void volume_sync_claim(store_t *store, json_t *claim)
{
    json_auto_t *kept = json_incref(claim); /* events and updates change the store */
    if (object_is_deleted(kept))
        return;
    if (claim_is_bound(kept))
        sync_bound(store, kept);
    else
        sync_pending(store, kept);
}
