#include "services/cluster/runtime/service_table.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/runtime/ruleset.h"

#include <arpa/inet.h>
#include <czmq.h>
#include <stdio.h>

enum { SLOTS = 16 };

struct service_table {
    ruleset_t *ruleset;
    zhashx_t *in_force; /* "address . protocol . port" of those whose slots are filled */
    zhashx_t *hairpins; /* addresses of endpoints that may reach themselves by their Service */
};

/* A pod that reaches itself through its Service must see another sender than itself. The mark
 * carries the slot, since a concatenated key takes no bare number. */
static const char rules[] =
    "add table ip cluster\n"
    "add map ip cluster endpoints { type ipv4_addr . inet_proto . inet_service . mark"
    " : ipv4_addr . inet_service; }\n"
    "add set ip cluster hairpin { type ipv4_addr . ipv4_addr; }\n"
    "add set ip cluster cut { type ipv4_addr . ipv4_addr; }\n"
    "add chain ip cluster service\n"
    "add rule ip cluster service meta mark set numgen random mod 16\n"
    "add rule ip cluster service dnat ip addr . port to"
    " ip daddr . meta l4proto . th dport . meta mark map @endpoints\n"
    "add chain ip cluster prerouting { type nat hook prerouting priority dstnat; }\n"
    "add rule ip cluster prerouting ip daddr 10.96.0.0/12 goto service\n"
    "add chain ip cluster output { type nat hook output priority -100; }\n"
    "add rule ip cluster output ip daddr 10.96.0.0/12 goto service\n"
    "add chain ip cluster postrouting { type nat hook postrouting priority srcnat; }\n"
    "add rule ip cluster postrouting ct status dnat ip saddr . ip daddr @hairpin"
    " snat to 169.254.1.1\n"
    "add chain ip cluster partition { type filter hook forward priority -10; }\n"
    "add rule ip cluster partition ip saddr . ip daddr @cut drop\n"
    "add chain ip cluster unserved { type filter hook forward priority 0; }\n"
    "add rule ip cluster unserved ip daddr 10.96.0.0/12 meta l4proto tcp reject with tcp reset\n"
    "add rule ip cluster unserved ip daddr 10.96.0.0/12 reject\n";

service_table_t *service_table_new(err_t *err)
{
    AUTO(service_table_destroy) service_table_t *self = xcalloc(1, sizeof(*self));
    self->in_force = zhashx_new();
    self->hairpins = zhashx_new();
    self->ruleset = ruleset_new(err);
    if (!self->ruleset || ruleset_run(self->ruleset, rules, err) < 0)
        return NULL;
    return TAKE(self);
}

void service_table_destroy(service_table_t **self_p)
{
    service_table_t *self = *self_p;
    if (!self)
        return;
    ruleset_destroy(&self->ruleset);
    zhashx_destroy(&self->in_force);
    zhashx_destroy(&self->hairpins);
    free(self);
    *self_p = NULL;
}

static const char *address_text(struct in_addr address, char text[INET_ADDRSTRLEN])
{
    return inet_ntop(AF_INET, &address, text, INET_ADDRSTRLEN);
}

static void write_removal(FILE *out, const char *key)
{
    fprintf(out, "delete element ip cluster endpoints { ");
    for (int slot = 0; slot < SLOTS; slot++)
        fprintf(out, "%s%s . %d", slot ? ", " : "", key, slot);
    fprintf(out, " }\n");
}

static void write_slots(
    FILE *out, const char *key, const service_endpoint_t *endpoints, size_t count)
{
    char text[INET_ADDRSTRLEN];
    fprintf(out, "add element ip cluster endpoints { ");
    for (size_t slot = 0; slot < SLOTS; slot++) {
        const service_endpoint_t *endpoint = &endpoints[slot % count];
        fprintf(out, "%s%s . %zu : %s . %u", slot ? ", " : "", key, slot,
            address_text(endpoint->address, text), endpoint->port);
    }
    fprintf(out, " }\n");
}

static void write_hairpins(
    service_table_t *self, FILE *out, const service_endpoint_t *endpoints, size_t count)
{
    char text[INET_ADDRSTRLEN];
    for (size_t i = 0; i < count; i++) {
        address_text(endpoints[i].address, text);
        if (zhashx_insert(self->hairpins, text, (void *)"") == 0)
            fprintf(out, "add element ip cluster hairpin { %s . %s }\n", text, text);
    }
}

int service_table_set(service_table_t *self, struct in_addr address, const char *protocol,
    uint16_t port, const service_endpoint_t *endpoints, size_t count, err_t *err)
{
    char text[INET_ADDRSTRLEN];
    AUTO_FREE char *key = xasprintf("%s . %s . %u", address_text(address, text), protocol, port);
    bool is_in_force = zhashx_lookup(self->in_force, key) != NULL;
    if (!is_in_force && !count)
        return 0;
    AUTO_FREE char *commands = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&commands, &size);
    if (is_in_force)
        write_removal(out, key);
    if (count) {
        write_slots(out, key, endpoints, count);
        write_hairpins(self, out, endpoints, count);
    }
    fclose(out);
    int rc = ruleset_run(self->ruleset, commands, err);
    if (rc == 0 && count)
        zhashx_update(self->in_force, key, (void *)"");
    else if (rc == 0)
        zhashx_delete(self->in_force, key);
    return rc;
}
