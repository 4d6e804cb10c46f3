/* Lease: a node's heartbeat. */
#include "services/cluster/env/object.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/kinds.h"

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    (void)old;
    check_metadata(causes, object, NAME_SUBDOMAIN);
}

static void row(const json_t *object, time_t now, json_t *cells)
{
    cells_string(cells, object_name(object));
    cells_at(cells, object, "spec.holderIdentity", "");
    cells_age(cells, object, now);
}

static const kind_column_t columns[] = {COLUMN_NAME, COLUMN("Holder"), COLUMN_AGE, {0}};

const kind_t kind_lease = {
    .name = "Lease",
    .group = "coordination.k8s.io",
    .version = "v1",
    .plural = "leases",
    .singular = "lease",
    .type = "coordination.k8s.io/v1.Lease",
    .is_namespaced = true,
    .columns = columns,
    .validate = validate,
    .row = row,
};
