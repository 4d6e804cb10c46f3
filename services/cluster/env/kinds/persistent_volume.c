/* PersistentVolume. */
#include "services/cluster/env/object.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/defaults.h"
#include "services/cluster/env/kinds/kinds.h"
#include "services/cluster/env/kinds/volume_cells.h"

#include "base/auto.h"

#include <string.h>

static const char *const sources[] = {"hostPath", "local", "nfs", "csi"};

static void fill(store_t *store, json_t *object, const json_t *old)
{
    (void)store;
    json_t *spec = default_object(object, "spec");
    if (!spec)
        return;
    default_string(spec, "persistentVolumeReclaimPolicy", "Retain");
    default_string(spec, "volumeMode", "Filesystem");
    json_t *path = json_object_get(spec, "hostPath");
    if (json_is_object(path) && !json_object_get(path, "type"))
        json_object_set_new(path, "type", json_string(""));
    if (old)
        return;
    add_protection(object, "kubernetes.io/pv-protection");
    object_set(object, "status", json_pack("{s:s}", "phase", "Pending"));
}

static void check_source(const json_t *spec, const json_t *old_spec, causes_t *causes)
{
    size_t count = 0;
    bool is_changed = false;
    for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
        const json_t *source = json_object_get(spec, sources[i]);
        const json_t *before = json_object_get(old_spec, sources[i]);
        count += source ? 1 : 0;
        is_changed = is_changed || (source || before ? !json_equal(source, before) : false);
    }
    if (count == 0)
        causes_required(causes, "spec", "must specify a volume type");
    else if (count > 1)
        causes_forbidden(causes, "spec", "may not specify more than 1 volume type");
    else if (old_spec && is_changed)
        causes_forbidden(causes, "spec.persistentvolumesource",
            "spec.persistentvolumesource is immutable after creation");
}

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    static const char *const policies[] = {"Delete", "Recycle", "Retain", NULL};
    const json_t *spec = json_object_get(object, "spec");
    const char *policy = object_string(spec, "persistentVolumeReclaimPolicy");
    check_metadata(causes, object, NAME_SUBDOMAIN);
    check_access_modes(causes, json_object_get(spec, "accessModes"));
    if (!json_object_size(json_object_get(spec, "capacity")))
        causes_required(causes, "spec.capacity", NULL);
    if (strcmp(policy, "Delete") != 0 && strcmp(policy, "Recycle") != 0
        && strcmp(policy, "Retain") != 0)
        causes_unsupported(causes, "spec.persistentVolumeReclaimPolicy",
            json_object_get(spec, "persistentVolumeReclaimPolicy"), policies);
    check_source(spec, old ? json_object_get(old, "spec") : NULL, causes);
    if (json_object_get(spec, "local") && !object_at(spec, "nodeAffinity.required"))
        causes_required(causes, "spec.nodeAffinity", "Local volume requires node affinity");
}

static void add_claim(json_t *cells, const json_t *object)
{
    const json_t *claim = object_at(object, "spec.claimRef");
    if (claim)
        cells_format(
            cells, "%s/%s", object_string(claim, "namespace"), object_string(claim, "name"));
    else
        cells_string(cells, "");
}

static void row(const json_t *object, time_t now, json_t *cells)
{
    cells_string(cells, object_name(object));
    cells_at(cells, object, "spec.capacity.storage", "<unset>");
    cells_access_modes(cells, object_at(object, "spec.accessModes"));
    cells_at(cells, object, "spec.persistentVolumeReclaimPolicy", "");
    cells_string(
        cells, object_is_deleted(object) ? "Terminating" : object_string(object, "status.phase"));
    add_claim(cells, object);
    cells_at(cells, object, "spec.storageClassName", "");
    cells_at(cells, object, "spec.volumeAttributesClassName", "<unset>");
    cells_at(cells, object, "status.reason", "");
    cells_age(cells, object, now);
    cells_at(cells, object, "spec.volumeMode", "<unset>");
}

static const char *const short_names[] = {"pv", NULL};
static const kind_column_t columns[] = {COLUMN_NAME, COLUMN("Capacity"), COLUMN("Access Modes"),
    COLUMN("Reclaim Policy"), COLUMN("Status"), COLUMN("Claim"), COLUMN("StorageClass"),
    COLUMN("VolumeAttributesClass"), COLUMN("Reason"), COLUMN_AGE, COLUMN_WIDE("VolumeMode"), {0}};

const kind_t kind_persistent_volume = {
    .name = "PersistentVolume",
    .group = "",
    .version = "v1",
    .plural = "persistentvolumes",
    .singular = "persistentvolume",
    .type = "core/v1.PersistentVolume",
    .short_names = short_names,
    .has_status = true,
    .columns = columns,
    .fill = fill,
    .validate = validate,
    .row = row,
};
