/* ReplicaSet. */
#include "services/cluster/env/object.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/kinds.h"
#include "services/cluster/env/kinds/workload.h"

static void fill(store_t *store, json_t *object, const json_t *old)
{
    (void)store;
    (void)old;
    workload_fill(object);
}

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    check_metadata(causes, object, NAME_SUBDOMAIN);
    check_workload(causes, object, old);
}

static void row(const json_t *object, time_t now, json_t *cells)
{
    cells_string(cells, object_name(object));
    cells_integer(cells, object_integer(object, "spec.replicas", 0));
    cells_integer(cells, object_integer(object, "status.replicas", 0));
    cells_integer(cells, object_integer(object, "status.readyReplicas", 0));
    cells_age(cells, object, now);
    cells_containers(cells, object_at(object, "spec.template.spec"));
    cells_selector(cells, object_at(object, "spec.selector"));
}

static const char *const short_names[] = {"rs", NULL};
static const char *const categories[] = {"all", NULL};
static const char *const fields[] = {"status.replicas", NULL};
static const kind_column_t columns[] = {COLUMN_NAME, COLUMN_INTEGER("Desired"),
    COLUMN_INTEGER("Current"), COLUMN_INTEGER("Ready"), COLUMN_AGE, COLUMN_WIDE("Containers"),
    COLUMN_WIDE("Images"), COLUMN_WIDE("Selector"), {0}};

const kind_t kind_replica_set = {
    .name = "ReplicaSet",
    .group = "apps",
    .version = "v1",
    .plural = "replicasets",
    .singular = "replicaset",
    .type = "apps/v1.ReplicaSet",
    .short_names = short_names,
    .categories = categories,
    .fields = fields,
    .is_namespaced = true,
    .has_status = true,
    .has_scale = true,
    .has_generation = true,
    .columns = columns,
    .fill = fill,
    .validate = validate,
    .row = row,
};
