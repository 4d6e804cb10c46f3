/* Secret. */
#include "services/cluster/env/object.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/defaults.h"
#include "services/cluster/env/kinds/kinds.h"

#include "base/auto.h"
#include "base/base64.h"
#include "base/mem.h"

/* What came as stringData is kept as data. */
static void fill(store_t *store, json_t *object, const json_t *old)
{
    const char *key;
    json_t *value;
    json_t *plain = json_object_get(object, "stringData");
    (void)store;
    (void)old;
    default_string(object, "type", "Opaque");
    json_object_foreach(plain, key, value)
    {
        AUTO_FREE char *text = base64_encode(json_string_value(value), json_string_length(value));
        json_t *data = default_object(object, "data");
        json_object_set_new(data, key, json_string(text));
    }
    json_object_del(object, "stringData");
}

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    check_metadata(causes, object, NAME_SUBDOMAIN);
    check_data(causes, object, old);
    if (!strcmp(object_string(object, "type"), "kubernetes.io/service-account-token")
        && !object_annotation(object, "kubernetes.io/service-account.name"))
        causes_required(causes, "metadata.annotations[kubernetes.io/service-account.name]", NULL);
    if (old && strcmp(object_string(object, "type"), object_string(old, "type")) != 0)
        causes_invalid(causes, "type", json_object_get(object, "type"), "field is immutable");
}

static void row(const json_t *object, time_t now, json_t *cells)
{
    cells_string(cells, object_name(object));
    cells_at(cells, object, "type", "");
    cells_integer(cells, (int64_t)json_object_size(json_object_get(object, "data")));
    cells_age(cells, object, now);
}

static const char *const fields[] = {"type", NULL};
static const kind_column_t columns[] = {
    COLUMN_NAME, COLUMN("Type"), COLUMN("Data"), COLUMN_AGE, {0}};

const kind_t kind_secret = {
    .name = "Secret",
    .group = "",
    .version = "v1",
    .plural = "secrets",
    .singular = "secret",
    .type = "core/v1.Secret",
    .fields = fields,
    .is_namespaced = true,
    .columns = columns,
    .fill = fill,
    .validate = validate,
    .row = row,
};
