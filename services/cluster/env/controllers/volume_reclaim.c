/* One volume: available, bound, released, and what its policy says then. */
#include "services/cluster/env/controllers/volumes.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

#include <string.h>

static const event_source_t source = {"persistentvolume-controller", NULL};

static bool is_in_phase(const json_t *volume, const char *phase)
{
    return strcmp(object_string(volume, "status.phase"), phase) == 0;
}

static void set_phase(store_t *store, json_t *volume, const char *phase, const char *message)
{
    if (is_in_phase(volume, phase))
        return;
    json_t *copy = object_copy(volume, "status");
    json_t *status =
        json_pack("{s:s, s:o}", "phase", phase, "lastPhaseTransitionTime", object_time_now());
    if (message)
        json_object_set_new(status, "message", json_string(message));
    json_object_set_new(copy, "status", status);
    (void)store_update(store, kind_find("PersistentVolume"), copy, STORE_STATUS, NULL);
}

/* The node's kubelet removes the data when it sees the volume go. */
static void delete_volume(store_t *store, json_t *volume)
{
    const char *path = object_string(volume, "spec.hostPath.path");
    bool is_ours = object_annotation(volume, "pv.kubernetes.io/provisioned-by") != NULL;
    if (is_ours) {
        (void)store_delete(store, kind_find("PersistentVolume"), NULL, object_name(volume), NULL,
            NULL); /* gone is what it should be */
        return;
    }
    AUTO_FREE char *why =
        *path ? xasprintf("host_path deleter only supports /tmp/.+ but received provided %s", path)
              : xasprintf(
                  "error getting deleter volume plugin for volume \"%s\": no deletable volume "
                  "plugin matched",
                  object_name(volume));
    event_record(store, source, volume, NULL, "Warning", "VolumeFailedDelete", "%s", why);
    set_phase(store, volume, "Failed", why);
}

static void reclaim(store_t *store, json_t *volume)
{
    const char *policy = object_string(volume, "spec.persistentVolumeReclaimPolicy");
    if (is_in_phase(volume, "Failed"))
        return;
    if (strcmp(policy, "Delete") == 0) {
        set_phase(store, volume, "Released", NULL);
        delete_volume(store, volume);
    } else if (strcmp(policy, "Recycle") == 0) {
        event_record(store, source, volume, NULL, "Warning", "VolumeFailedRecycle",
            "No recycler plugin found for the volume!");
        set_phase(store, volume, "Failed", "No recycler plugin found for the volume!");
    } else {
        set_phase(store, volume, "Released", NULL);
    }
}

void volume_sync_volume(store_t *store, json_t *volume)
{
    json_auto_t *kept = json_incref(volume);
    const json_t *reference = object_at(kept, "spec.claimRef");
    if (object_is_deleted(kept))
        return;
    if (!reference || !*object_string(reference, "uid")) {
        set_phase(store, kept, "Available", NULL);
        return;
    }
    const json_t *claim = store_get(store, kind_find("PersistentVolumeClaim"),
        object_string(reference, "namespace"), object_string(reference, "name"));
    if (!claim || !claim_is_meant(reference, claim))
        reclaim(store, kept);
    else if (strcmp(object_string(claim, "spec.volumeName"), object_name(kept)) == 0)
        set_phase(store, kept, "Bound", NULL);
}
