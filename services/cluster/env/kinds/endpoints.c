/* Endpoints. */
#include "services/cluster/env/object.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/defaults.h"
#include "services/cluster/env/kinds/kinds.h"

static void fill(store_t *store, json_t *object, const json_t *old)
{
    size_t i;
    json_t *subset;
    (void)store;
    (void)old;
    json_array_foreach(json_object_get(object, "subsets"), i, subset)
    {
        size_t j;
        json_t *port;
        json_array_foreach(json_object_get(subset, "ports"), j, port)
            default_string(port, "protocol", "TCP");
    }
}

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    (void)old;
    check_metadata(causes, object, NAME_SUBDOMAIN);
}

static void add_subset(json_t *texts, const json_t *subset)
{
    size_t i, j;
    json_t *address;
    json_t *port;
    const json_t *ports = json_object_get(subset, "ports");
    json_array_foreach(json_object_get(subset, "addresses"), i, address)
    {
        const char *ip = object_string(address, "ip");
        if (!json_array_size(ports))
            json_array_append_new(texts, json_string(ip));
        json_array_foreach(ports, j, port) json_array_append_new(
            texts, json_sprintf("%s:%lld", ip, (long long)object_integer(port, "port", 0)));
    }
}

static void row(const json_t *object, time_t now, json_t *cells)
{
    json_auto_t *texts = json_array();
    size_t i;
    json_t *subset;
    json_array_foreach(json_object_get(object, "subsets"), i, subset) add_subset(texts, subset);
    cells_string(cells, object_name(object));
    cells_some(cells, texts, json_array_size(json_object_get(object, "subsets")) ? "" : "<none>");
    cells_age(cells, object, now);
}

static const char *const short_names[] = {"ep", NULL};
static const kind_column_t columns[] = {COLUMN_NAME, COLUMN("Endpoints"), COLUMN_AGE, {0}};

const kind_t kind_endpoints = {
    .name = "Endpoints",
    .group = "",
    .version = "v1",
    .plural = "endpoints",
    .singular = "endpoints",
    .type = "core/v1.Endpoints",
    .short_names = short_names,
    .is_namespaced = true,
    .columns = columns,
    .fill = fill,
    .validate = validate,
    .row = row,
};
