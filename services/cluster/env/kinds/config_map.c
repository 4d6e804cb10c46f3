/* ConfigMap. */
#include "services/cluster/env/object.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/kinds.h"

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    check_metadata(causes, object, NAME_SUBDOMAIN);
    check_data(causes, object, old);
}

static void row(const json_t *object, time_t now, json_t *cells)
{
    cells_string(cells, object_name(object));
    cells_integer(cells, (int64_t)(json_object_size(json_object_get(object, "data"))
                                   + json_object_size(json_object_get(object, "binaryData"))));
    cells_age(cells, object, now);
}

static const char *const short_names[] = {"cm", NULL};
static const kind_column_t columns[] = {COLUMN_NAME, COLUMN("Data"), COLUMN_AGE, {0}};

const kind_t kind_config_map = {
    .name = "ConfigMap",
    .group = "",
    .version = "v1",
    .plural = "configmaps",
    .singular = "configmap",
    .type = "core/v1.ConfigMap",
    .short_names = short_names,
    .is_namespaced = true,
    .columns = columns,
    .validate = validate,
    .row = row,
};
