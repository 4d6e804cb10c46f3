/* NetworkPolicy. What it means for traffic is kubelet/policy_rules.c's. */
#include "services/cluster/env/object.h"
#include "services/cluster/env/selector.h"

#include "services/cluster/env/kinds/cells.h"
#include "services/cluster/env/kinds/checks.h"
#include "services/cluster/env/kinds/cidr.h"
#include "services/cluster/env/kinds/defaults.h"
#include "services/cluster/env/kinds/kinds.h"

#include "base/auto.h"
#include "base/mem.h"

#include <string.h>

enum { PORT_NAME_LIMIT = 15 };

/* ---- defaults ----------------------------------------------------------------------------- */

static void fill_ports(json_t *rules)
{
    size_t i, j;
    json_t *rule;
    json_t *port;
    json_array_foreach(rules, i, rule)
    {
        json_array_foreach(json_object_get(rule, "ports"), j, port)
        {
            if (json_is_object(port))
                default_string(port, "protocol", "TCP");
        }
    }
}

static void fill(store_t *store, json_t *object, const json_t *old)
{
    (void)store;
    (void)old;
    json_t *spec = default_object(object, "spec");
    if (!spec)
        return;
    default_object(spec, "podSelector");
    fill_ports(json_object_get(spec, "ingress"));
    fill_ports(json_object_get(spec, "egress"));
    if (json_array_size(json_object_get(spec, "policyTypes")))
        return;
    json_object_set_new(spec, "policyTypes", json_pack("[s]", "Ingress"));
    if (json_array_size(json_object_get(spec, "egress")))
        json_array_append_new(json_object_get(spec, "policyTypes"), json_string("Egress"));
}

/* ---- validation --------------------------------------------------------------------------- */

static void check_selector(causes_t *causes, const char *at, const char *key, const json_t *owner)
{
    const json_t *selector = json_object_get(owner, key);
    AUTO_FREE char *field = xasprintf("%s.%s", at, key);
    err_t err = {0};
    selector_t *parsed = selector ? selector_new(selector, &err) : NULL;
    if (selector && !parsed)
        causes_invalid(causes, field, selector, err.text);
    selector_destroy(&parsed);
}

static void check_block(causes_t *causes, const char *at, const json_t *block)
{
    AUTO_FREE char *cidr_field = xasprintf("%s.ipBlock.cidr", at);
    const char *text = object_string(block, "cidr");
    cidr_t cidr = {0};
    if (!*text)
        causes_required(causes, cidr_field, NULL);
    else if (!cidr_parse(text, &cidr))
        causes_invalid(causes, cidr_field, json_object_get(block, "cidr"),
            "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
    size_t i;
    json_t *except;
    json_array_foreach(json_object_get(block, "except"), i, except)
    {
        AUTO_FREE char *field = xasprintf("%s.ipBlock.except[%zu]", at, i);
        cidr_t inner;
        if (!json_is_string(except) || !cidr_parse(json_string_value(except), &inner))
            causes_invalid(causes, field, except,
                "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
        else if (!cidr_contains(&cidr, &inner))
            causes_invalid(causes, field, except, "must be a strict subset of `cidr`");
    }
}

static void check_peer(causes_t *causes, const char *at, const json_t *peer)
{
    const json_t *block = json_object_get(peer, "ipBlock");
    bool has_selector =
        json_object_get(peer, "podSelector") || json_object_get(peer, "namespaceSelector");
    if (!block && !has_selector)
        causes_required(causes, at, "must specify a peer");
    if (block && has_selector)
        causes_forbidden(causes, at, "may not specify both ipBlock and another peer");
    check_selector(causes, at, "podSelector", peer);
    check_selector(causes, at, "namespaceSelector", peer);
    if (block)
        check_block(causes, at, block);
}

static void check_range(causes_t *causes, const char *at, const json_t *port, const json_t *end)
{
    AUTO_FREE char *field = xasprintf("%s.endPort", at);
    if (!port)
        causes_invalid(causes, field, end, "may not be specified when `port` is not specified");
    else if (!json_is_integer(port))
        causes_invalid(causes, field, end, "may not be specified when `port` is non-numeric");
    else if (json_integer_value(end) < json_integer_value(port))
        causes_invalid(causes, field, end, "must be greater than or equal to `port`");
    else
        check_port(causes, field, end);
}

static void check_policy_port(causes_t *causes, const char *at, const json_t *entry)
{
    static const char *const protocols[] = {"SCTP", "TCP", "UDP", NULL};
    const json_t *port = json_object_get(entry, "port");
    const json_t *end = json_object_get(entry, "endPort");
    const char *protocol = object_string(entry, "protocol");
    AUTO_FREE char *protocol_field = xasprintf("%s.protocol", at);
    AUTO_FREE char *port_field = xasprintf("%s.port", at);
    bool is_known = false;
    for (size_t i = 0; protocols[i]; i++)
        is_known = is_known || strcmp(protocols[i], protocol) == 0;
    if (!is_known)
        causes_unsupported(causes, protocol_field, json_object_get(entry, "protocol"), protocols);
    if (json_is_integer(port))
        check_port(causes, port_field, port);
    else if (port
             && (!name_is_valid(json_string_value(port), NAME_LABEL, NULL)
                 || json_string_length(port) > PORT_NAME_LIMIT))
        causes_invalid(causes, port_field, port, "must be no more than 15 characters");
    if (end)
        check_range(causes, at, port, end);
}

static void check_rules(causes_t *causes, const json_t *spec, const char *way, const char *peers)
{
    size_t i, j;
    json_t *rule;
    json_t *entry;
    json_array_foreach(json_object_get(spec, way), i, rule)
    {
        json_array_foreach(json_object_get(rule, "ports"), j, entry)
        {
            AUTO_FREE char *at = xasprintf("spec.%s[%zu].ports[%zu]", way, i, j);
            check_policy_port(causes, at, entry);
        }
        json_array_foreach(json_object_get(rule, peers), j, entry)
        {
            AUTO_FREE char *at = xasprintf("spec.%s[%zu].%s[%zu]", way, i, peers, j);
            check_peer(causes, at, entry);
        }
    }
}

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    static const char *const types[] = {"Egress", "Ingress", NULL};
    const json_t *spec = json_object_get(object, "spec");
    const json_t *given = json_object_get(spec, "policyTypes");
    size_t i;
    json_t *type;
    (void)old;
    check_metadata(causes, object, NAME_SUBDOMAIN);
    check_selector(causes, "spec", "podSelector", spec);
    check_rules(causes, spec, "ingress", "from");
    check_rules(causes, spec, "egress", "to");
    if (json_array_size(given) > 2)
        causes_invalid(
            causes, "spec.policyTypes", given, "may not specify more than two policyTypes");
    json_array_foreach(given, i, type)
    {
        AUTO_FREE char *field = xasprintf("spec.policyTypes[%zu]", i);
        const char *text = json_is_string(type) ? json_string_value(type) : "";
        if (strcmp(text, "Ingress") != 0 && strcmp(text, "Egress") != 0)
            causes_unsupported(causes, field, type, types);
    }
}

/* ---- printing ----------------------------------------------------------------------------- */

static void row(const json_t *object, time_t now, json_t *cells)
{
    cells_string(cells, object_name(object));
    cells_selector(cells, object_at(object, "spec.podSelector"));
    cells_age(cells, object, now);
}

static const char *const short_names[] = {"netpol", NULL};
static const kind_column_t columns[] = {COLUMN_NAME, COLUMN("Pod-Selector"), COLUMN_AGE, {0}};

const kind_t kind_network_policy = {
    .name = "NetworkPolicy",
    .group = "networking.k8s.io",
    .version = "v1",
    .plural = "networkpolicies",
    .singular = "networkpolicy",
    .type = "networking/v1.NetworkPolicy",
    .short_names = short_names,
    .is_namespaced = true,
    .has_generation = true,
    .columns = columns,
    .fill = fill,
    .validate = validate,
    .row = row,
};
