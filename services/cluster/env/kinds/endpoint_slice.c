/* EndpointSlice. */
#include "services/cluster/env/object.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/defaults.h"
#include "services/cluster/env/kinds/kinds.h"

#include <string.h>

static void fill(store_t *store, json_t *object, const json_t *old)
{
    size_t i;
    json_t *port;
    (void)store;
    (void)old;
    json_array_foreach(json_object_get(object, "ports"), i, port)
    {
        default_string(port, "protocol", "TCP");
        if (!json_object_get(port, "name"))
            json_object_set_new(port, "name", json_string(""));
    }
}

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    static const char *const types[] = {"FQDN", "IPv4", "IPv6", NULL};
    const char *type = object_string(object, "addressType");
    check_metadata(causes, object, NAME_SUBDOMAIN);
    if (!*type)
        causes_required(causes, "addressType", NULL);
    else if (strcmp(type, "IPv4") != 0 && strcmp(type, "IPv6") != 0 && strcmp(type, "FQDN") != 0)
        causes_unsupported(causes, "addressType", json_object_get(object, "addressType"), types);
    if (old && strcmp(type, object_string(old, "addressType")) != 0)
        causes_invalid(
            causes, "addressType", json_object_get(object, "addressType"), "field is immutable");
}

static void row(const json_t *object, time_t now, json_t *cells)
{
    json_auto_t *ports = json_array();
    json_auto_t *addresses = json_array();
    size_t i, j;
    json_t *each;
    json_t *address;
    json_array_foreach(json_object_get(object, "ports"), i, each)
    {
        const json_t *port = json_object_get(each, "port");
        json_array_append_new(ports, json_is_integer(port)
                                         ? json_sprintf("%lld", (long long)json_integer_value(port))
                                         : json_string("*"));
    }
    json_array_foreach(json_object_get(object, "endpoints"), i, each)
    {
        json_array_foreach(json_object_get(each, "addresses"), j, address)
        {
            if (json_is_string(address))
                json_array_append(addresses, address);
        }
    }
    cells_string(cells, object_name(object));
    cells_at(cells, object, "addressType", "");
    cells_some(cells, ports, "<unset>");
    cells_some(cells, addresses, "<unset>");
    cells_age(cells, object, now);
}

static const kind_column_t columns[] = {
    COLUMN_NAME, COLUMN("AddressType"), COLUMN("Ports"), COLUMN("Endpoints"), COLUMN_AGE, {0}};

const kind_t kind_endpoint_slice = {
    .name = "EndpointSlice",
    .group = "discovery.k8s.io",
    .version = "v1",
    .plural = "endpointslices",
    .singular = "endpointslice",
    .type = "discovery/v1.EndpointSlice",
    .is_namespaced = true,
    .has_generation = true,
    .columns = columns,
    .fill = fill,
    .validate = validate,
    .row = row,
};
