/* StorageClass. */
#include "services/cluster/env/object.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/defaults.h"
#include "services/cluster/env/kinds/kinds.h"

#include "base/auto.h"

#include <string.h>

static void fill(store_t *store, json_t *object, const json_t *old)
{
    (void)store, (void)old;
    default_string(object, "reclaimPolicy", "Delete");
    default_string(object, "volumeBindingMode", "Immediate");
}

static void check_fixed(
    const json_t *object, const json_t *old, const char *field, causes_t *causes)
{
    const json_t *value = json_object_get(object, field);
    const json_t *before = json_object_get(old, field);
    if (value != before && !json_equal(value, before))
        causes_forbidden(causes, field, "updates to this field are forbidden.");
}

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    static const char *const modes[] = {"Immediate", "WaitForFirstConsumer", NULL};
    static const char *const policies[] = {"Delete", "Retain", NULL};
    static const char *const fixed[] = {
        "parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"};
    const char *mode = object_string(object, "volumeBindingMode");
    const char *policy = object_string(object, "reclaimPolicy");
    check_metadata(causes, object, NAME_SUBDOMAIN);
    if (!*object_string(object, "provisioner"))
        causes_required(causes, "provisioner", NULL);
    if (strcmp(mode, modes[0]) != 0 && strcmp(mode, modes[1]) != 0)
        causes_unsupported(
            causes, "volumeBindingMode", json_object_get(object, "volumeBindingMode"), modes);
    if (strcmp(policy, policies[0]) != 0 && strcmp(policy, policies[1]) != 0)
        causes_unsupported(
            causes, "reclaimPolicy", json_object_get(object, "reclaimPolicy"), policies);
    for (size_t i = 0; old && i < ARRAY_SIZE(fixed); i++)
        check_fixed(object, old, fixed[i], causes);
}

static void row(const json_t *object, time_t now, json_t *cells)
{
    const char *mark = object_annotation(object, "storageclass.kubernetes.io/is-default-class");
    cells_format(
        cells, "%s%s", object_name(object), mark && strcmp(mark, "true") == 0 ? " (default)" : "");
    cells_at(cells, object, "provisioner", "");
    cells_at(cells, object, "reclaimPolicy", "");
    cells_at(cells, object, "volumeBindingMode", "");
    json_array_append_new(cells, json_boolean(object_is_true(object, "allowVolumeExpansion")));
    cells_age(cells, object, now);
}

static const char *const short_names[] = {"sc", NULL};
static const kind_column_t columns[] = {COLUMN_NAME, COLUMN("Provisioner"), COLUMN("ReclaimPolicy"),
    COLUMN("VolumeBindingMode"), COLUMN("AllowVolumeExpansion"), COLUMN_AGE, {0}};

const kind_t kind_storage_class = {
    .name = "StorageClass",
    .group = "storage.k8s.io",
    .version = "v1",
    .plural = "storageclasses",
    .singular = "storageclass",
    .type = "storage.k8s.io/v1.StorageClass",
    .short_names = short_names,
    .columns = columns,
    .fill = fill,
    .validate = validate,
    .row = row,
};
