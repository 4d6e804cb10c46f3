/* Service, with the allocation of cluster addresses and node ports.
 *
 * The address follows from the Service's namespace and name, so that the same problem shows the
 * same addresses every time; a taken one gives way to the next free one. */
#include "services/cluster/env/object.h"
#include "services/cluster/env/store.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/defaults.h"
#include "services/cluster/env/kinds/kinds.h"

#include "base/auto.h"
#include "base/mem.h"

#include <arpa/inet.h>

enum {
    NETWORK = 10 << 24 | 96 << 16, /* 10.96.0.0/12 */
    FIRST_DYNAMIC = 256,           /* below: for Services that name their address */
    ADDRESS_COUNT = 1 << 20,
    NODE_PORT_FIRST = 30000,
    NODE_PORT_COUNT = 2768,
};

/* ---- allocation --------------------------------------------------------------------------- */

typedef struct wanted {
    const char *address;
    int64_t node_port;
    const json_t *self; /* the Service that asks */
    bool is_taken;
} wanted_t;

static void compare_service(void *arg, json_t *service)
{
    wanted_t *wanted = arg;
    size_t i;
    json_t *port;
    if (!strcmp(object_name(service), object_name(wanted->self))
        && !strcmp(object_namespace(service), object_namespace(wanted->self)))
        return;
    if (wanted->address && !strcmp(object_string(service, "spec.clusterIP"), wanted->address))
        wanted->is_taken = true;
    json_array_foreach(object_at(service, "spec.ports"), i, port)
    {
        if (wanted->node_port && object_integer(port, "nodePort", 0) == wanted->node_port)
            wanted->is_taken = true;
    }
}

static bool is_taken(store_t *store, wanted_t wanted)
{
    if (store)
        store_each(store, &kind_service, NULL, compare_service, &wanted);
    return wanted.is_taken;
}

/* FNV-1a of namespace and name. */
static uint32_t hash_of(const json_t *service)
{
    uint32_t hash = 2166136261u;
    AUTO_FREE char *text = xasprintf("%s/%s", object_namespace(service), object_name(service));
    for (const char *c = text; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619u;
    return hash;
}

static void allocate_address(store_t *store, json_t *service, json_t *spec)
{
    char text[INET_ADDRSTRLEN];
    uint32_t range = ADDRESS_COUNT - FIRST_DYNAMIC - 1;
    uint32_t start = hash_of(service) % range;
    for (uint32_t i = 0; i < range; i++) {
        struct in_addr address = {.s_addr = htonl(NETWORK + FIRST_DYNAMIC + (start + i) % range)};
        inet_ntop(AF_INET, &address, text, sizeof(text));
        if (!is_taken(store, (wanted_t){.address = text, .self = service}))
            break;
    }
    json_object_set_new(spec, "clusterIP", json_string(text));
}

static void allocate_node_port(store_t *store, json_t *service, json_t *port, size_t index)
{
    uint32_t start = hash_of(service) + (uint32_t)index;
    int64_t number = 0;
    if (object_integer(port, "nodePort", 0))
        return;
    for (uint32_t i = 0; i < NODE_PORT_COUNT; i++) {
        number = NODE_PORT_FIRST + (start + i) % NODE_PORT_COUNT;
        if (!is_taken(store, (wanted_t){.node_port = number, .self = service}))
            break;
    }
    json_object_set_new(port, "nodePort", json_integer(number));
}

/* ---- what is taken ------------------------------------------------------------------------ */

static void check_node_port(store_t *store, const json_t *service, size_t i, causes_t *causes)
{
    const json_t *port = json_array_get(object_at(service, "spec.ports"), i);
    const json_t *value = json_object_get(port, "nodePort");
    int64_t number = object_integer(port, "nodePort", 0);
    AUTO_FREE char *field = xasprintf("spec.ports[%zu].nodePort", i);
    if (!number)
        return;
    if (number < NODE_PORT_FIRST || number >= NODE_PORT_FIRST + NODE_PORT_COUNT)
        causes_invalid(causes, field, value,
            "provided port is not in the valid range. The range of valid ports is 30000-32767");
    else if (is_taken(store, (wanted_t){.node_port = number, .self = service}))
        causes_invalid(causes, field, value, "provided port is already allocated");
}

static void check_cluster_address(store_t *store, const json_t *service, causes_t *causes)
{
    struct in_addr address;
    const char *text = object_string(service, "spec.clusterIP");
    if (inet_pton(AF_INET, text, &address) != 1)
        return;
    AUTO_FREE char *shown = xasprintf("[]string{\"%s\"}", text);
    AUTO_FREE char *outside =
        xasprintf("failed to allocate IP %s: the provided IP (%s) is not in the valid range. The "
                  "range of valid IPs is 10.96.0.0/12",
            text, text);
    AUTO_FREE char *taken =
        xasprintf("failed to allocate IP %s: provided IP is already allocated", text);
    if (ntohl(address.s_addr) - NETWORK >= ADDRESS_COUNT)
        causes_invalid_text(causes, "spec.clusterIPs", shown, outside);
    else if (is_taken(store, (wanted_t){.address = text, .self = service}))
        causes_invalid_text(causes, "spec.clusterIPs", shown, taken);
}

static void check_taken(store_t *store, const json_t *service, causes_t *causes)
{
    for (size_t i = 0; i < json_array_size(object_at(service, "spec.ports")); i++)
        check_node_port(store, service, i, causes);
    if (strcmp(object_string(service, "spec.type"), "ExternalName") != 0)
        check_cluster_address(store, service, causes);
}

/* ---- defaults ----------------------------------------------------------------------------- */

static bool has_node_ports(const json_t *spec)
{
    const char *type = object_string(spec, "type");
    return !strcmp(type, "NodePort") || !strcmp(type, "LoadBalancer");
}

static void fill_ports(store_t *store, json_t *object, json_t *spec)
{
    size_t i;
    json_t *port;
    json_array_foreach(json_object_get(spec, "ports"), i, port)
    {
        default_string(port, "protocol", "TCP");
        const json_t *target = json_object_get(port, "targetPort");
        if (!target || json_is_null(target)
            || (json_is_integer(target) && !json_integer_value(target)))
            json_object_set(port, "targetPort", json_object_get(port, "port"));
        if (has_node_ports(spec))
            allocate_node_port(store, object, port, i);
        else if (!object_integer(port, "nodePort", 0))
            json_object_del(port, "nodePort");
    }
}

static void fill_affinity(json_t *spec)
{
    enum { THREE_HOURS_S = 10800 };
    if (strcmp(object_string(spec, "sessionAffinity"), "ClientIP") != 0) {
        json_object_del(spec, "sessionAffinityConfig");
        return;
    }
    json_t *config = default_object(spec, "sessionAffinityConfig");
    json_t *client = config ? default_object(config, "clientIP") : NULL;
    if (client)
        default_integer(client, "timeoutSeconds", THREE_HOURS_S);
}

static void fill(store_t *store, json_t *object, const json_t *old)
{
    json_t *spec = default_object(object, "spec");
    if (!spec)
        return;
    default_string(spec, "type", "ClusterIP");
    default_string(spec, "sessionAffinity", "None");
    fill_affinity(spec);
    if (!strcmp(object_string(spec, "type"), "ExternalName"))
        return;
    const char *old_address = object_string(old, "spec.clusterIP");
    if (!*object_string(spec, "clusterIP") && *old_address)
        json_object_set_new(spec, "clusterIP", json_string(old_address));
    if (!*object_string(spec, "clusterIP"))
        allocate_address(store, object, spec);
    if (!json_object_get(spec, "clusterIPs"))
        json_object_set_new(
            spec, "clusterIPs", json_pack("[O]", json_object_get(spec, "clusterIP")));
    if (!json_object_get(spec, "ipFamilies"))
        json_object_set_new(spec, "ipFamilies", json_pack("[s]", "IPv4"));
    default_string(spec, "ipFamilyPolicy", "SingleStack");
    default_string(spec, "internalTrafficPolicy", "Cluster");
    if (has_node_ports(spec))
        default_string(spec, "externalTrafficPolicy", "Cluster");
    fill_ports(store, object, spec);
    json_t *status = default_object(object, "status");
    if (status)
        default_object(status, "loadBalancer");
}

/* ---- validation --------------------------------------------------------------------------- */

static void check_service_port(causes_t *causes, const json_t *ports, size_t i)
{
    const json_t *port = json_array_get(ports, i);
    AUTO_FREE char *number = xasprintf("spec.ports[%zu].port", i);
    AUTO_FREE char *name = xasprintf("spec.ports[%zu].name", i);
    AUTO_FREE char *target = xasprintf("spec.ports[%zu].targetPort", i);
    AUTO_FREE char *at = xasprintf("spec.ports[%zu]", i);
    check_port(causes, number, json_object_get(port, "port"));
    if (json_is_integer(json_object_get(port, "targetPort")))
        check_port(causes, target, json_object_get(port, "targetPort"));
    if (json_array_size(ports) > 1 && !*object_string(port, "name"))
        causes_required(causes, name, NULL);
    for (size_t j = 0; j < i; j++) {
        const json_t *other = json_array_get(ports, j);
        if (*object_string(port, "name")
            && !strcmp(object_string(port, "name"), object_string(other, "name")))
            causes_duplicate(causes, name, json_object_get(port, "name"));
        if (json_equal(json_object_get(port, "port"), json_object_get(other, "port"))
            && json_equal(json_object_get(port, "protocol"), json_object_get(other, "protocol"))) {
            json_auto_t *shown = json_pack("{s:O*, s:O*}", "port", json_object_get(port, "port"),
                "protocol", json_object_get(port, "protocol"));
            causes_duplicate(causes, at, shown);
        }
    }
}

static void check_address(causes_t *causes, const json_t *object, const json_t *old)
{
    struct in_addr ignored;
    const char *address = object_string(object, "spec.clusterIP");
    const char *old_address = object_string(old, "spec.clusterIP");
    if (*address && strcmp(address, "None") != 0 && inet_pton(AF_INET, address, &ignored) != 1)
        causes_invalid(causes, "spec.clusterIPs[0]", object_at(object, "spec.clusterIP"),
            "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    if (*old_address && strcmp(object_string(object, "spec.type"), "ExternalName") != 0
        && strcmp(address, old_address) != 0)
        causes_invalid(causes, "spec.clusterIPs[0]", object_at(object, "spec.clusterIP"),
            "may not change once set");
}

static void check_one_of(
    causes_t *causes, const json_t *object, const char *field, const char *const *known)
{
    const char *value = object_string(object, field);
    for (size_t i = 0; known[i]; i++) {
        if (strcmp(known[i], value) == 0)
            return;
    }
    causes_unsupported(causes, field, object_at(object, field), known);
}

static void check_traffic(causes_t *causes, const json_t *object)
{
    static const char *const affinities[] = {"ClientIP", "None", NULL};
    static const char *const policies[] = {"Cluster", "Local", NULL};
    enum { DAY_S = 86400 };
    const char *timeout_field = "spec.sessionAffinityConfig.clientIP.timeoutSeconds";
    const json_t *timeout = object_at(object, timeout_field);
    check_one_of(causes, object, "spec.sessionAffinity", affinities);
    if (json_is_integer(timeout)
        && (json_integer_value(timeout) <= 0 || json_integer_value(timeout) > DAY_S))
        causes_invalid(
            causes, timeout_field, timeout, "must be greater than 0 and less than 86400");
    if (object_at(object, "spec.internalTrafficPolicy"))
        check_one_of(causes, object, "spec.internalTrafficPolicy", policies);
    if (!object_at(object, "spec.externalTrafficPolicy"))
        return;
    if (has_node_ports(object_at(object, "spec")))
        check_one_of(causes, object, "spec.externalTrafficPolicy", policies);
    else
        causes_invalid(causes, "spec.externalTrafficPolicy",
            object_at(object, "spec.externalTrafficPolicy"),
            "may only be set for externally-accessible services");
}

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    static const char *const types[] = {
        "ClusterIP", "ExternalName", "LoadBalancer", "NodePort", NULL};
    const json_t *ports = object_at(object, "spec.ports");
    const char *type = object_string(object, "spec.type");
    check_metadata(causes, object, NAME_SERVICE);
    check_one_of(causes, object, "spec.type", types);
    check_traffic(causes, object);
    if (!strcmp(type, "ExternalName") && !*object_string(object, "spec.externalName"))
        causes_required(causes, "spec.externalName", NULL);
    if (!json_array_size(ports) && strcmp(type, "ExternalName") != 0
        && strcmp(object_string(object, "spec.clusterIP"), "None") != 0)
        causes_required(causes, "spec.ports", NULL);
    for (size_t i = 0; i < json_array_size(ports); i++)
        check_service_port(causes, ports, i);
    check_labels(causes, "spec.selector", object_at(object, "spec.selector"));
    check_address(causes, object, old);
}

/* ---- printing ----------------------------------------------------------------------------- */

static void add_external(json_t *cells, const json_t *object)
{
    const char *type = object_string(object, "spec.type");
    if (!strcmp(type, "ExternalName"))
        cells_at(cells, object, "spec.externalName", "");
    else if (json_array_size(object_at(object, "spec.externalIPs")))
        cells_some(cells, object_at(object, "spec.externalIPs"), "<none>");
    else
        cells_string(cells, !strcmp(type, "LoadBalancer") ? "<pending>" : "<none>");
}

static void add_ports(json_t *cells, const json_t *ports)
{
    AUTO_FREE char *text = xstrdup("");
    size_t i;
    json_t *port;
    json_array_foreach(ports, i, port)
    {
        char node[16] = "";
        if (object_integer(port, "nodePort", 0))
            snprintf(node, sizeof(node), ":%lld", (long long)object_integer(port, "nodePort", 0));
        char *longer = xasprintf("%s%s%lld%s/%s", text, *text ? "," : "",
            (long long)object_integer(port, "port", 0), node, object_string(port, "protocol"));
        free(text);
        text = longer;
    }
    cells_string(cells, *text ? text : "<none>");
}

static void row(const json_t *object, time_t now, json_t *cells)
{
    cells_string(cells, object_name(object));
    cells_at(cells, object, "spec.type", "");
    cells_at(cells, object, "spec.clusterIP", "<none>");
    add_external(cells, object);
    add_ports(cells, object_at(object, "spec.ports"));
    cells_age(cells, object, now);
    cells_labels(cells, object_at(object, "spec.selector"));
}

static const char *const short_names[] = {"svc", NULL};
static const char *const categories[] = {"all", NULL};
static const char *const fields[] = {"spec.clusterIP", "spec.type", NULL};
static const kind_column_t columns[] = {COLUMN_NAME, COLUMN("Type"), COLUMN("Cluster-IP"),
    COLUMN("External-IP"), COLUMN("Port(s)"), COLUMN_AGE, COLUMN_WIDE("Selector"), {0}};

const kind_t kind_service = {
    .name = "Service",
    .group = "",
    .version = "v1",
    .plural = "services",
    .singular = "service",
    .type = "core/v1.Service",
    .short_names = short_names,
    .categories = categories,
    .fields = fields,
    .is_namespaced = true,
    .has_status = true,
    .columns = columns,
    .fill = fill,
    .validate = validate,
    .check_taken = check_taken,
    .row = row,
};
