/* ServiceAccount. */
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
    cells_integer(cells, (int64_t)json_array_size(json_object_get(object, "secrets")));
    cells_age(cells, object, now);
}

static const char *const short_names[] = {"sa", NULL};
static const kind_column_t columns[] = {COLUMN_NAME, COLUMN("Secrets"), COLUMN_AGE, {0}};

const kind_t kind_service_account = {
    .name = "ServiceAccount",
    .group = "",
    .version = "v1",
    .plural = "serviceaccounts",
    .singular = "serviceaccount",
    .type = "core/v1.ServiceAccount",
    .short_names = short_names,
    .is_namespaced = true,
    .columns = columns,
    .validate = validate,
    .row = row,
};
