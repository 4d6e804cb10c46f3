/* The provisioner of the default class: a folder of a node's, as local-path makes them. */
#include "services/cluster/env/controllers/volumes.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

#include <string.h>

static const event_source_t controller = {"persistentvolume-controller", NULL};
static const event_source_t provisioner = {VOLUME_PROVISIONER "_local-path-provisioner", NULL};

/* ---- what it cannot do -------------------------------------------------------------------- */

static bool is_single_node_mode(const json_t *mode)
{
    const char *text = json_string_value(mode);
    return text && (strcmp(text, "ReadWriteOnce") == 0 || strcmp(text, "ReadWriteOncePod") == 0);
}

static const char *refusal(const json_t *claim)
{
    size_t i;
    json_t *mode;
    json_array_foreach(object_at(claim, "spec.accessModes"), i, mode)
    {
        if (!is_single_node_mode(mode))
            return "NodePath only supports ReadWriteOnce and ReadWriteOncePod (1.22+) access modes";
    }
    return object_at(claim, "spec.selector") ? "claim.Spec.Selector is not supported" : NULL;
}

/* ---- where -------------------------------------------------------------------------------- */

typedef struct choice {
    const char *node;
} choice_t;

/* Without a pod that would decide: the first node that takes pods. */
static void consider(void *arg, json_t *node)
{
    choice_t *self = arg;
    if (!self->node && !json_array_size(object_at(node, "spec.taints"))
        && !object_is_true(node, "spec.unschedulable"))
        self->node = object_name(node);
}

static json_t *affinity_to(const char *node)
{
    return json_pack("{s:{s:[{s:[{s:s, s:s, s:[s]}]}]}}", "required", "nodeSelectorTerms",
        "matchExpressions", "key", "kubernetes.io/hostname", "operator", "In", "values", node);
}

/* ---- making ------------------------------------------------------------------------------- */

static json_t *make_volume(const json_t *claim, const json_t *class, const char *node)
{
    AUTO_FREE char *name = xasprintf("pvc-%s", object_uid(claim));
    AUTO_FREE char *path = xasprintf(
        "/var/local-path-provisioner/%s_%s_%s", name, object_namespace(claim), object_name(claim));
    json_t *volume = json_pack(
        "{s:{s:s, s:{s:s}}, s:{s:{s:O}, s:O, s:s, s:s, s:O, s:o, s:{s:s, s:s}, s:{s:s, s:s, s:s, "
        "s:s, s:s}}}",
        "metadata", "name", name, "annotations", "pv.kubernetes.io/provisioned-by",
        VOLUME_PROVISIONER, "spec", "capacity", "storage",
        object_at(claim, "spec.resources.requests.storage"), "accessModes",
        object_at(claim, "spec.accessModes"), "persistentVolumeReclaimPolicy",
        object_string(class, "reclaimPolicy"), "storageClassName", object_name(class), "volumeMode",
        object_at(claim, "spec.volumeMode"), "nodeAffinity", affinity_to(node), "hostPath", "path",
        path, "type", "DirectoryOrCreate", "claimRef", "apiVersion", "v1", "kind",
        "PersistentVolumeClaim", "namespace", object_namespace(claim), "name", object_name(claim),
        "uid", object_uid(claim));
    return volume;
}

static void wait_for_others(store_t *store, json_t *claim, const char *name)
{
    if (strcmp(name, "kubernetes.io/no-provisioner") == 0)
        event_record(store, controller, claim, NULL, "Warning", "ProvisioningFailed",
            "no volume plugin matched name: %s", name);
    else
        event_record(store, controller, claim, NULL, "Normal", "ExternalProvisioning",
            "Waiting for a volume to be created either by the external provisioner '%s' or "
            "manually by the system administrator. If volume creation is delayed, please verify "
            "that the provisioner is running and correctly registered.",
            name);
}

void volume_provision(store_t *store, json_t *claim, const json_t *class, const char *node)
{
    const char *name = object_string(class, "provisioner");
    json_auto_t *kept = json_incref((json_t *)class);
    if (strcmp(name, VOLUME_PROVISIONER) != 0) {
        wait_for_others(store, claim, name);
        return;
    }
    choice_t choice = {.node = node};
    if (!node)
        store_each(store, kind_find("Node"), NULL, consider, &choice);
    const char *why = choice.node ? refusal(claim) : "no node is there to make it on";
    event_record(store, provisioner, claim, NULL, "Normal", "Provisioning",
        "External provisioner is provisioning volume for claim \"%s/%s\"", object_namespace(claim),
        object_name(claim));
    if (why) {
        event_record(store, provisioner, claim, NULL, "Warning", "ProvisioningFailed",
            "failed to provision volume with StorageClass \"%s\": %s", object_name(kept), why);
        return;
    }
    (void)store_create(store, kind_find("PersistentVolume"), make_volume(claim, kept, choice.node),
        NULL, NULL); /* it is there already: its change will bind it */
    event_record(store, provisioner, claim, NULL, "Normal", "ProvisioningSucceeded",
        "Successfully provisioned volume pvc-%s", object_uid(claim));
}
