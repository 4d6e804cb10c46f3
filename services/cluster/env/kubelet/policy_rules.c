/* Each policy is a chain for each of its directions that accepts what it allows. A pod that
 * policies isolate has a chain, found by its address, which asks their chains in turn and drops
 * what none has accepted. Senders are judged before receivers, on the way to other pods and on the
 * way to what the router itself serves: DNS and the API. What the router sends (probes) is not
 * judged. */
#include "services/cluster/env/kubelet/policy_rules.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/kinds/cidr.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/selector.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The two directions, seen from the isolated pod. */
typedef struct way {
    const char *type;  /* in policyTypes */
    const char *rules; /* in spec */
    const char *peers; /* in a rule */
    const char *own;   /* the pod's side of a packet … */
    const char *other; /* … and its peer's */
    const char *chain; /* names the chains */
} way_t;

static const way_t ways[] = {
    {"Egress", "egress", "to", "saddr", "daddr", "sender"},
    {"Ingress", "ingress", "from", "daddr", "saddr", "receiver"},
};

static const char frame[] =
    "add table ip policies\n"
    "delete table ip policies\n"
    "add table ip policies\n"
    "add map ip policies senders { type ipv4_addr : verdict; }\n"
    "add map ip policies receivers { type ipv4_addr : verdict; }\n"
    "add chain ip policies answers\n"
    "add rule ip policies answers ct state related accept\n"
    "add rule ip policies answers ct state established ct direction reply accept\n"
    "add chain ip policies leaving { type filter hook forward priority -6; }\n"
    "add rule ip policies leaving jump answers\n"
    "add rule ip policies leaving ip saddr vmap @senders\n"
    "add chain ip policies asking { type filter hook input priority -6; }\n"
    "add rule ip policies asking jump answers\n"
    "add rule ip policies asking ip saddr vmap @senders\n"
    "add chain ip policies arriving { type filter hook forward priority -5; }\n"
    "add rule ip policies arriving jump answers\n"
    "add rule ip policies arriving ip daddr vmap @receivers\n";

typedef struct writer {
    FILE *out;
    const policy_peer_t *peers;
    size_t count;
} writer_t;

static const char *address_text(const policy_peer_t *peer, char text[INET_ADDRSTRLEN])
{
    return inet_ntop(AF_INET, &peer->address, text, INET_ADDRSTRLEN);
}

/* ---- who --------------------------------------------------------------------------------------
 */

/* A selector that cannot be read picks nothing. */
static bool picks(const json_t *label_selector, const json_t *labels)
{
    selector_t *selector = selector_new(label_selector, NULL);
    bool is_picked = selector && selector_matches(selector, labels);
    selector_destroy(&selector);
    return is_picked;
}

static bool is_selected(const json_t *policy, const policy_peer_t *peer)
{
    return strcmp(peer->namespace, object_namespace(policy)) == 0
           && picks(object_at(policy, "spec.podSelector"), peer->labels);
}

/* Without a namespaceSelector the policy's own namespace is meant; without a podSelector all pods.
 */
static bool is_meant(const json_t *policy, const json_t *entry, const policy_peer_t *peer)
{
    const json_t *namespaces = json_object_get(entry, "namespaceSelector");
    const json_t *pods = json_object_get(entry, "podSelector");
    bool is_near = namespaces ? picks(namespaces, peer->namespace_labels)
                              : strcmp(peer->namespace, object_namespace(policy)) == 0;
    return is_near && (!pods || picks(pods, peer->labels));
}

/* "ip saddr { a, b }" of the peers that a rule's entry means, for free(); NULL if there are none.
 */
static char *meant_match(
    const writer_t *self, const way_t *way, const json_t *policy, const json_t *entry)
{
    char text[INET_ADDRSTRLEN];
    AUTO_FREE char *list = NULL;
    for (size_t i = 0; i < self->count; i++) {
        if (!is_meant(policy, entry, &self->peers[i]))
            continue;
        char *longer = xasprintf(
            "%s%s%s", list ? list : "", list ? ", " : "", address_text(&self->peers[i], text));
        free(list);
        list = longer;
    }
    return list ? xasprintf("ip %s { %s }", way->other, list) : NULL;
}

static char *add_range(char *match, const char *side, const char *sign, const cidr_t *range)
{
    char text[INET_ADDRSTRLEN];
    char *longer = xasprintf("%s%sip %s %s%s/%d", match, *match ? " " : "", side, sign,
        inet_ntop(AF_INET, range->bytes, text, sizeof(text)), range->prefix);
    free(match);
    return longer;
}

/* "ip saddr 10.0.0.0/8 ip saddr != 10.1.0.0/16", for free(); NULL for what no address here is in.
 * nft takes no range of all addresses. */
static char *block_match(const way_t *way, const json_t *block)
{
    cidr_t range;
    size_t i;
    json_t *except;
    if (!cidr_parse(object_string(block, "cidr"), &range) || range.family != AF_INET)
        return NULL;
    char *match = xstrdup("");
    if (range.prefix)
        match = add_range(match, way->other, "", &range);
    json_array_foreach(json_object_get(block, "except"), i, except)
    {
        const char *text = json_string_value(except);
        if (text && cidr_parse(text, &range) && range.family == AF_INET)
            match = add_range(match, way->other, "!= ", &range);
    }
    return match;
}

/* ---- which ports ------------------------------------------------------------------------------
 */

static const char *protocol_of(const json_t *port)
{
    const char *protocol = object_string(port, "protocol");
    return strcmp(protocol, "UDP") == 0 ? "udp" : strcmp(protocol, "SCTP") == 0 ? "sctp" : "tcp";
}

static int64_t port_called(const policy_peer_t *peer, const char *name, const char *protocol)
{
    size_t i, j;
    json_t *container;
    json_t *port;
    json_array_foreach(peer->containers, i, container)
    {
        json_array_foreach(json_object_get(container, "ports"), j, port)
        {
            if (strcmp(object_string(port, "name"), name) == 0
                && strcmp(protocol_of(port), protocol) == 0)
                return object_integer(port, "containerPort", 0);
        }
    }
    return 0;
}

/* The receiver says what the name means: "ip daddr . tcp dport { a . 80, b . 8080 }". */
static char *named_match(const writer_t *self, const char *name, const char *protocol)
{
    char text[INET_ADDRSTRLEN];
    AUTO_FREE char *list = NULL;
    for (size_t i = 0; i < self->count; i++) {
        int64_t port = port_called(&self->peers[i], name, protocol);
        if (port < 1 || port > UINT16_MAX)
            continue;
        char *longer = xasprintf("%s%s%s . %d", list ? list : "", list ? ", " : "",
            address_text(&self->peers[i], text), (int)port);
        free(list);
        list = longer;
    }
    return list ? xasprintf("ip daddr . %s dport { %s }", protocol, list) : NULL;
}

/* For free(); NULL when no packet can match. */
static char *port_match(const writer_t *self, const json_t *entry)
{
    const json_t *port = json_object_get(entry, "port");
    const char *protocol = protocol_of(entry);
    if (json_is_string(port))
        return named_match(self, json_string_value(port), protocol);
    if (!json_is_integer(port))
        return xasprintf("meta l4proto %s", protocol);
    json_int_t first = json_integer_value(port);
    json_int_t last = object_integer(entry, "endPort", first);
    if (first < 1 || last > UINT16_MAX || last < first)
        return NULL;
    return first == last ? xasprintf("%s dport %d", protocol, (int)first)
                         : xasprintf("%s dport %d-%d", protocol, (int)first, (int)last);
}

/* ---- rules ------------------------------------------------------------------------------------
 */

static void write_ports(const writer_t *self, const char *chain, const char *peer, json_t *ports)
{
    size_t i;
    json_t *entry;
    if (!json_array_size(ports))
        fprintf(self->out, "add rule ip policies %s %s accept\n", chain, peer);
    json_array_foreach(ports, i, entry)
    {
        AUTO_FREE char *match = port_match(self, entry);
        if (match)
            fprintf(self->out, "add rule ip policies %s %s %s accept\n", chain, peer, match);
    }
}

static void write_rule(const writer_t *self, const way_t *way, const char *chain,
    const json_t *policy, const json_t *rule)
{
    json_t *ports = json_object_get(rule, "ports");
    const json_t *peers = json_object_get(rule, way->peers);
    size_t i;
    json_t *entry;
    if (!json_array_size(peers))
        write_ports(self, chain, "", ports);
    json_array_foreach(peers, i, entry)
    {
        const json_t *block = json_object_get(entry, "ipBlock");
        AUTO_FREE char *match =
            block ? block_match(way, block) : meant_match(self, way, policy, entry);
        if (match)
            write_ports(self, chain, match, ports);
    }
}

static bool has_type(const json_t *policy, const char *type)
{
    size_t i;
    json_t *entry;
    json_array_foreach(object_at(policy, "spec.policyTypes"), i, entry)
    {
        if (json_is_string(entry) && strcmp(json_string_value(entry), type) == 0)
            return true;
    }
    return false;
}

static void write_policy(const writer_t *self, const way_t *way, const json_t *policy, size_t index)
{
    AUTO_FREE char *chain = xasprintf("%s_policy_%zu", way->chain, index);
    size_t i;
    json_t *rule;
    fprintf(self->out, "add chain ip policies %s\n", chain);
    json_array_foreach(object_at(object_at(policy, "spec"), way->rules), i, rule)
    {
        write_rule(self, way, chain, policy, rule);
    }
}

/* The chain of a pod, if any policy isolates it; a pod may always reach itself. */
static void write_pod(
    const writer_t *self, const way_t *way, const json_t *policies, const policy_peer_t *pod)
{
    char text[INET_ADDRSTRLEN];
    AUTO_FREE char *chain = xasprintf("%s_%u", way->chain, ntohl(pod->address.s_addr));
    bool is_isolated = false;
    size_t i;
    json_t *policy;
    address_text(pod, text);
    json_array_foreach(policies, i, policy)
    {
        if (!has_type(policy, way->type) || !is_selected(policy, pod))
            continue;
        if (!is_isolated)
            fprintf(self->out,
                "add chain ip policies %s\nadd rule ip policies %s ip %s %s accept\n", chain, chain,
                way->other, text);
        is_isolated = true;
        fprintf(self->out, "add rule ip policies %s jump %s_policy_%zu\n", chain, way->chain, i);
    }
    if (is_isolated)
        fprintf(self->out,
            "add rule ip policies %s drop\nadd element ip policies %ss { %s : goto %s }\n", chain,
            way->chain, text, chain);
}

char *policy_rules_text(const json_t *policies, const policy_peer_t *peers, size_t count)
{
    char *text = NULL;
    size_t size = 0;
    writer_t self = {.out = open_memstream(&text, &size), .peers = peers, .count = count};
    size_t i;
    json_t *policy;
    fputs(frame, self.out);
    for (const way_t *way = ways; way < ways + ARRAY_SIZE(ways); way++) {
        json_array_foreach(policies, i, policy)
        {
            if (has_type(policy, way->type))
                write_policy(&self, way, policy, i);
        }
        for (size_t pod = 0; pod < count; pod++)
            write_pod(&self, way, policies, &peers[pod]);
    }
    fclose(self.out);
    return mem_check(text);
}
