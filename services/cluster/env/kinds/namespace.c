/* Namespace. */
#include "services/cluster/env/admission/pod_security.h"
#include "services/cluster/env/object.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/defaults.h"
#include "services/cluster/env/kinds/kinds.h"

static void fill(store_t *store, json_t *object, const json_t *old)
{
    json_t *labels = default_object(json_object_get(object, "metadata"), "labels");
    (void)store;
    if (labels)
        json_object_set_new(
            labels, "kubernetes.io/metadata.name", json_string(object_name(object)));
    if (old)
        return;
    object_set(object, "spec.finalizers", json_pack("[s]", "kubernetes"));
    object_set(object, "status.phase", json_string("Active"));
}

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    check_metadata(causes, object, NAME_LABEL);
    pod_security_check_labels(object, old, causes);
}

static void row(const json_t *object, time_t now, json_t *cells)
{
    cells_string(cells, object_name(object));
    cells_at(cells, object, "status.phase", "");
    cells_age(cells, object, now);
}

static const char *const short_names[] = {"ns", NULL};
static const char *const fields[] = {"status.phase", NULL};
static const kind_column_t columns[] = {COLUMN_NAME, COLUMN("Status"), COLUMN_AGE, {0}};

const kind_t kind_namespace = {
    .name = "Namespace",
    .group = "",
    .version = "v1",
    .plural = "namespaces",
    .singular = "namespace",
    .type = "core/v1.Namespace",
    .short_names = short_names,
    .fields = fields,
    .has_status = true,
    .columns = columns,
    .fill = fill,
    .validate = validate,
    .row = row,
};
