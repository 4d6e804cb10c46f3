/* Ingress. No controller serves them here: their address stays empty, as in a cluster that has
 * none.
 */
#include "services/cluster/env/object.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/defaults.h"
#include "services/cluster/env/kinds/kinds.h"

#include "base/auto.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <string.h>

static void fill(store_t *store, json_t *object, const json_t *old)
{
    (void)store;
    (void)old;
    json_t *status = default_object(object, "status");
    if (status)
        default_object(status, "loadBalancer");
}

/* ---- validation --------------------------------------------------------------------------- */

static void check_backend(causes_t *causes, const char *at, const json_t *backend)
{
    const json_t *service = json_object_get(backend, "service");
    AUTO_FREE char *name = xasprintf("%s.service.name", at);
    AUTO_FREE char *port = xasprintf("%s.service.port", at);
    AUTO_FREE char *number = xasprintf("%s.service.port.number", at);
    const json_t *value = object_at(service, "port.number");
    bool has_name = *object_string(service, "port.name");
    bool has_number = json_is_integer(value) && json_integer_value(value) != 0;
    if (!service && json_object_get(backend, "resource"))
        return;
    if (!service) {
        causes_required(causes, at, "must specify either a service or a resource backend");
        return;
    }
    if (!*object_string(service, "name"))
        causes_required(causes, name, NULL);
    else
        check_name(causes, name, object_string(service, "name"), NAME_SERVICE);
    if (has_name && has_number)
        causes_invalid_text(causes, port, "{}", "cannot set both port name & port number");
    else if (!has_name && !has_number)
        causes_required(causes, port, "port name or number is required");
    else if (has_number)
        check_port(causes, number, value);
}

static void check_path(causes_t *causes, const char *at, const json_t *path)
{
    static const char *const types[] = {"Exact", "ImplementationSpecific", "Prefix", NULL};
    const char *type = object_string(path, "pathType");
    const char *text = object_string(path, "path");
    AUTO_FREE char *type_field = xasprintf("%s.pathType", at);
    AUTO_FREE char *path_field = xasprintf("%s.path", at);
    AUTO_FREE char *backend_field = xasprintf("%s.backend", at);
    bool is_free = strcmp(type, "ImplementationSpecific") == 0;
    if (!*type)
        causes_required(causes, type_field, "pathType must be specified");
    else if (!is_free && strcmp(type, "Exact") != 0 && strcmp(type, "Prefix") != 0)
        causes_unsupported(causes, type_field, json_object_get(path, "pathType"), types);
    if (*text != '/' && (*text || (*type && !is_free)))
        causes_invalid(
            causes, path_field, json_object_get(path, "path"), "must be an absolute path");
    check_backend(causes, backend_field, json_object_get(path, "backend"));
}

static void check_host(causes_t *causes, const char *at, const char *host)
{
    struct in_addr ignored;
    AUTO_FREE char *field = xasprintf("%s.host", at);
    json_auto_t *shown = json_string(host);
    bool is_wild = strncmp(host, "*.", 2) == 0;
    if (inet_pton(AF_INET, host, &ignored) == 1)
        causes_invalid(causes, field, shown, "must be a DNS name, not an IP address");
    else
        check_name(causes, field, host + (is_wild ? 2 : 0), NAME_SUBDOMAIN);
}

static void check_rule(causes_t *causes, size_t index, const json_t *rule)
{
    AUTO_FREE char *at = xasprintf("spec.rules[%zu]", index);
    const json_t *http = json_object_get(rule, "http");
    const json_t *paths = json_object_get(http, "paths");
    AUTO_FREE char *paths_field = xasprintf("%s.http.paths", at);
    size_t i;
    json_t *path;
    if (*object_string(rule, "host"))
        check_host(causes, at, object_string(rule, "host"));
    if (http && !json_array_size(paths))
        causes_required(causes, paths_field, NULL);
    json_array_foreach(paths, i, path)
    {
        AUTO_FREE char *field = xasprintf("%s[%zu]", paths_field, i);
        check_path(causes, field, path);
    }
}

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    const json_t *rules = object_at(object, "spec.rules");
    const json_t *backend = object_at(object, "spec.defaultBackend");
    size_t i;
    json_t *rule;
    (void)old;
    check_metadata(causes, object, NAME_SUBDOMAIN);
    if (!json_array_size(rules) && !backend)
        causes_invalid_text(causes, "spec", "[]networking.IngressRule(nil)",
            "either `defaultBackend` or `rules` must be specified");
    if (backend)
        check_backend(causes, "spec.defaultBackend", backend);
    json_array_foreach(rules, i, rule) check_rule(causes, i, rule);
}

/* ---- printing ----------------------------------------------------------------------------- */

static void add_hosts(json_t *cells, const json_t *rules)
{
    json_auto_t *hosts = json_array();
    size_t i;
    json_t *rule;
    json_array_foreach(rules, i, rule)
    {
        if (*object_string(rule, "host"))
            json_array_append(hosts, json_object_get(rule, "host"));
    }
    cells_some(cells, hosts, "*");
}

static void add_addresses(json_t *cells, const json_t *points)
{
    AUTO_FREE char *text = xstrdup("");
    size_t i;
    json_t *point;
    json_array_foreach(points, i, point)
    {
        const char *address = object_string(point, "ip");
        char *longer = xasprintf("%s%s%s", text, *text ? "," : "",
            *address ? address : object_string(point, "hostname"));
        free(text);
        text = longer;
    }
    cells_string(cells, text);
}

static void row(const json_t *object, time_t now, json_t *cells)
{
    bool has_tls = json_array_size(object_at(object, "spec.tls")) > 0;
    cells_string(cells, object_name(object));
    cells_at(cells, object, "spec.ingressClassName", "<none>");
    add_hosts(cells, object_at(object, "spec.rules"));
    add_addresses(cells, object_at(object, "status.loadBalancer.ingress"));
    cells_string(cells, has_tls ? "80, 443" : "80");
    cells_age(cells, object, now);
}

static const char *const short_names[] = {"ing", NULL};
static const kind_column_t columns[] = {COLUMN_NAME, COLUMN("Class"), COLUMN("Hosts"),
    COLUMN("Address"), COLUMN("Ports"), COLUMN_AGE, {0}};

const kind_t kind_ingress = {
    .name = "Ingress",
    .group = "networking.k8s.io",
    .version = "v1",
    .plural = "ingresses",
    .singular = "ingress",
    .type = "networking/v1.Ingress",
    .short_names = short_names,
    .is_namespaced = true,
    .has_status = true,
    .has_generation = true,
    .columns = columns,
    .fill = fill,
    .validate = validate,
    .row = row,
};
