/* PersistentVolumeClaim. */
#include "services/cluster/env/object.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/defaults.h"
#include "services/cluster/env/kinds/kinds.h"
#include "services/cluster/env/kinds/volume_cells.h"
#include "services/cluster/env/quantity.h"
#include "services/cluster/env/store.h"

#include <string.h>

/* ---- defaults ----------------------------------------------------------------------------- */

static void look_for_default(void *arg, json_t *class)
{
    const char **name = arg;
    const char *mark = object_annotation(class, "storageclass.kubernetes.io/is-default-class");
    if (mark && strcmp(mark, "true") == 0)
        *name = object_name(class);
}

/* Admission's: a claim that says nothing gets the default class, one that says "" gets none. */
static void default_class(store_t *store, json_t *spec)
{
    const char *name = NULL;
    const json_t *class = json_object_get(spec, "storageClassName");
    if (class && !json_is_null(class))
        return;
    store_each(store, kind_find("StorageClass"), NULL, look_for_default, &name);
    if (name)
        json_object_set_new(spec, "storageClassName", json_string(name));
}

static void fill(store_t *store, json_t *object, const json_t *old)
{
    json_t *spec = default_object(object, "spec");
    if (!spec)
        return;
    default_string(spec, "volumeMode", "Filesystem");
    if (old)
        return;
    default_class(store, spec);
    add_protection(object, "kubernetes.io/pvc-protection");
    object_set(object, "status", json_pack("{s:s}", "phase", "Pending"));
}

/* ---- validation --------------------------------------------------------------------------- */

/* What stays as it was made: all but the size, once it is bound. */
static json_t *fixed_part(const json_t *object)
{
    json_t *spec = json_deep_copy(json_object_get(object, "spec"));
    if (strcmp(object_string(object, "status.phase"), "Bound") == 0)
        json_object_del(object_at(spec, "resources.requests"), "storage");
    return spec;
}

static void check_change(const json_t *object, const json_t *old, causes_t *causes)
{
    static const char path[] = "spec.resources.requests.storage";
    json_auto_t *fixed = fixed_part(object);
    json_auto_t *old_fixed = fixed_part(old);
    if (!json_equal(fixed, old_fixed))
        causes_forbidden(causes, "spec",
            "spec is immutable after creation except resources.requests for bound claims");
    else if (quantity_units(object_at(object, path)) < quantity_units(object_at(old, path)))
        causes_forbidden(causes, path, "field can not be less than previous value");
}

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    const json_t *spec = json_object_get(object, "spec");
    const json_t *size = object_at(spec, "resources.requests.storage");
    check_metadata(causes, object, NAME_SUBDOMAIN);
    check_access_modes(causes, json_object_get(spec, "accessModes"));
    if (!size)
        causes_required(causes, "spec.resources[storage]", NULL);
    else if (quantity_units(size) <= 0)
        causes_invalid(causes, "spec.resources[storage]", size, "must be greater than zero");
    if (old)
        check_change(object, old, causes);
}

/* ---- printing ----------------------------------------------------------------------------- */

static void row(const json_t *object, time_t now, json_t *cells)
{
    const char *volume = object_string(object, "spec.volumeName");
    cells_string(cells, object_name(object));
    cells_string(
        cells, object_is_deleted(object) ? "Terminating" : object_string(object, "status.phase"));
    cells_string(cells, volume);
    cells_string(cells, *volume ? object_string(object, "status.capacity.storage") : "");
    cells_access_modes(cells, *volume ? object_at(object, "status.accessModes") : NULL);
    cells_at(cells, object, "spec.storageClassName", "");
    cells_at(cells, object, "spec.volumeAttributesClassName", "<unset>");
    cells_age(cells, object, now);
    cells_at(cells, object, "spec.volumeMode", "<unset>");
}

static const char *const short_names[] = {"pvc", NULL};
static const kind_column_t columns[] = {COLUMN_NAME, COLUMN("Status"), COLUMN("Volume"),
    COLUMN("Capacity"), COLUMN("Access Modes"), COLUMN("StorageClass"),
    COLUMN("VolumeAttributesClass"), COLUMN_AGE, COLUMN_WIDE("VolumeMode"), {0}};

const kind_t kind_persistent_volume_claim = {
    .name = "PersistentVolumeClaim",
    .group = "",
    .version = "v1",
    .plural = "persistentvolumeclaims",
    .singular = "persistentvolumeclaim",
    .type = "core/v1.PersistentVolumeClaim",
    .short_names = short_names,
    .is_namespaced = true,
    .has_status = true,
    .columns = columns,
    .fill = fill,
    .validate = validate,
    .row = row,
};
