#include "services/cluster/runtime/service_table.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/runtime/ruleset.h"

#include <arpa/inet.h>
#include <czmq.h>
#include <stdio.h>

/* What the mark of a packet means on its way to an endpoint: a slot of all, a slot of those on the
 * sender's node (16 for each node), or an endpoint's own number. */
enum { SLOTS = 16, NO_SLOT = 0xffff, FIRST_NUMBER = 0x10000 };

/* What is there for a front. */
typedef struct placed {
    char *removal;       /* the commands that take its elements away */
    zlistx_t *addresses; /* of its endpoints */
} placed_t;

struct service_table {
    ruleset_t *ruleset;
    int node_count;
    zhashx_t *in_force; /* front's key -> placed_t, owned */
    zhashx_t *hairpins; /* address of an endpoint that may reach itself -> by how many fronts */
    zhashx_t *numbers;  /* addresses of endpoints -> their numbers as text, owned */
    zhashx_t *timeouts; /* those of affinity that there is a chain for */
    unsigned last_number;
};

#define FRONT  "ip daddr . meta l4proto . th dport"
#define SENDER "ip saddr . " FRONT
#define DNAT   "dnat ip addr . port to " FRONT " . meta mark map @endpoints"

/* A pod that reaches itself through its Service must see another sender than itself. */
static const char rules[] =
    "add table ip cluster\n"
    "add map ip cluster endpoints { type ipv4_addr . inet_proto . inet_service . mark"
    " : ipv4_addr . inet_service; }\n"
    "add map ip cluster numbers { type ipv4_addr . inet_proto . inet_service . mark : mark; }\n"
    "add map ip cluster remembered { type ipv4_addr . ipv4_addr . inet_proto . inet_service"
    " : mark; flags dynamic, timeout; size 65536; }\n"
    "add map ip cluster sticky { type ipv4_addr . inet_proto . inet_service : verdict; }\n"
    "add set ip cluster near { type ipv4_addr . inet_proto . inet_service; }\n"
    "add set ip cluster masked { type ipv4_addr . inet_proto . inet_service; }\n"
    "add set ip cluster silent { type ipv4_addr . inet_proto . inet_service; }\n"
    "add set ip cluster hairpin { type ipv4_addr . ipv4_addr; }\n"
    "add set ip cluster cut { type ipv4_addr . ipv4_addr; }\n"
    "add chain ip cluster nodes\n"
    "add chain ip cluster service\n"
    "add rule ip cluster service " FRONT " @masked ct mark set 1\n"
    "add rule ip cluster service " FRONT " @near jump nodes\n"
    "add rule ip cluster service " FRONT " vmap @sticky\n"
    "add rule ip cluster service meta mark set numgen random mod 16\n"
    "add rule ip cluster service " DNAT "\n"
    "add chain ip cluster prerouting { type nat hook prerouting priority dstnat; }\n"
    "add rule ip cluster prerouting ip daddr { 10.96.0.0/12, 172.18.0.0/16 } goto service\n"
    "add chain ip cluster output { type nat hook output priority -100; }\n"
    "add rule ip cluster output ip daddr { 10.96.0.0/12, 172.18.0.0/16 } goto service\n"
    "add chain ip cluster postrouting { type nat hook postrouting priority srcnat; }\n"
    "add chain ip cluster partition { type filter hook forward priority -10; }\n"
    "add rule ip cluster partition ip saddr . ip daddr @cut drop\n"
    "add chain ip cluster unserved { type filter hook forward priority 0; }\n"
    "add rule ip cluster unserved " FRONT " @silent drop\n"
    "add rule ip cluster unserved ip daddr 10.96.0.0/12 meta l4proto tcp reject with tcp reset\n"
    "add rule ip cluster unserved ip daddr 10.96.0.0/12 reject\n"
    "add chain ip cluster unserved_here { type filter hook input priority 0; }\n"
    "add rule ip cluster unserved_here " FRONT " @silent drop\n";

int service_node_of(struct in_addr address)
{
    return (int)(ntohl(address.s_addr) >> 8 & 0xff);
}

/* ---- rules of nodes ---------------------------------------------------------------------------
 */

/* The senders of each node, and the nodes' addresses as masks. */
static char *node_rules(int count)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    for (int node = 0; node < count; node++) {
        fprintf(out,
            "add chain ip cluster node_%d\n"
            "add rule ip cluster node_%d meta mark set numgen random mod 16 offset %d\n"
            "add rule ip cluster node_%d " DNAT "\n"
            "add rule ip cluster nodes ip saddr 10.244.%d.0/24 goto node_%d\n"
            "add rule ip cluster postrouting ct mark 1 ct original ip daddr 172.18.0.%d"
            " snat to 172.18.0.%d\n",
            node, node, SLOTS * (node + 1), node, node, node, node + 2, node + 2);
    }
    fputs("add rule ip cluster postrouting ct status dnat ip saddr . ip daddr @hairpin"
          " snat to 169.254.1.1\n",
        out);
    fclose(out);
    return mem_check(text);
}

/* Remembers the sender's endpoint for so long after each of its connections. */
static char *affinity_rules(int64_t timeout_s)
{
    long long seconds = (long long)timeout_s;
    AUTO_FREE char *chain = xasprintf("sticky_%lld", seconds);
    AUTO_FREE char *choose =
        xasprintf("meta mark set " FRONT " . meta mark map @numbers"
                  " update @remembered { " SENDER " timeout %llds : meta mark } " DNAT,
            seconds);
    return xasprintf("add chain ip cluster %s\n"
                     "add rule ip cluster %s meta mark set %d\n"
                     "add rule ip cluster %s meta mark set " SENDER " map @remembered\n"
                     "add rule ip cluster %s %s\n"
                     "add rule ip cluster %s meta mark set numgen random mod 16\n"
                     "add rule ip cluster %s %s\n",
        chain, chain, NO_SLOT, chain, chain, choose, chain, chain, choose);
}

/* ---- elements ---------------------------------------------------------------------------------
 */

/* What is added for a front, and how it is taken away again. */
typedef struct change {
    FILE *added;
    FILE *removed;
    const char *key;
} change_t;

static const char *address_text(struct in_addr address, char text[INET_ADDRSTRLEN])
{
    return inet_ntop(AF_INET, &address, text, INET_ADDRSTRLEN);
}

static void add_member(change_t *self, const char *set, const char *value)
{
    fprintf(self->added, "add element ip cluster %s { %s%s%s }\n", set, self->key,
        *value ? " : " : "", value);
    fprintf(self->removed, "delete element ip cluster %s { %s }\n", set, self->key);
}

/* Elements of one map follow, each with a mark in its key. */
static void begin_marked(change_t *self, const char *map)
{
    fprintf(self->added, "add element ip cluster %s { ", map);
    fprintf(self->removed, "delete element ip cluster %s { ", map);
}

static void add_marked(change_t *self, unsigned mark, const char *value)
{
    fprintf(self->added, "%s . %u : %s, ", self->key, mark, value);
    fprintf(self->removed, "%s . %u, ", self->key, mark);
}

static void end_marked(change_t *self)
{
    fputs("}\n", self->added);
    fputs("}\n", self->removed);
}

static char *target_text(const service_endpoint_t *endpoint)
{
    char text[INET_ADDRSTRLEN];
    return xasprintf("%s . %u", address_text(endpoint->address, text), endpoint->port);
}

static void add_slots(
    change_t *self, unsigned base, const service_endpoint_t *const *endpoints, size_t count)
{
    begin_marked(self, "endpoints");
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        AUTO_FREE char *target = target_text(endpoints[slot % count]);
        add_marked(self, base + slot, target);
    }
    end_marked(self);
}

/* The number of an endpoint stays the same for all time. */
static const char *number_of(service_table_t *self, struct in_addr address)
{
    char text[INET_ADDRSTRLEN];
    address_text(address, text);
    if (!zhashx_lookup(self->numbers, text))
        zhashx_insert(self->numbers, text, xasprintf("%u", FIRST_NUMBER + self->last_number++));
    return zhashx_lookup(self->numbers, text);
}

/* Slots lead to numbers, and numbers that are still there to themselves. */
static void add_sticky(service_table_t *self, change_t *change, const service_front_t *front,
    const service_endpoint_t *endpoints, size_t count)
{
    AUTO_FREE char *chain = xasprintf("goto sticky_%lld", (long long)front->affinity_s);
    begin_marked(change, "numbers");
    for (unsigned slot = 0; slot < SLOTS; slot++)
        add_marked(change, slot, number_of(self, endpoints[slot % count].address));
    for (size_t i = 0; i < count; i++) {
        const char *number = number_of(self, endpoints[i].address);
        add_marked(change, (unsigned)strtoul(number, NULL, 10), number);
    }
    end_marked(change);
    begin_marked(change, "endpoints");
    for (size_t i = 0; i < count; i++) {
        AUTO_FREE char *target = target_text(&endpoints[i]);
        const char *number = number_of(self, endpoints[i].address);
        add_marked(change, (unsigned)strtoul(number, NULL, 10), target);
    }
    end_marked(change);
    add_member(change, "sticky", chain);
}

/* Nodes that have none of the endpoints get no slots. */
static void add_near(service_table_t *self, change_t *change, const service_endpoint_t *endpoints,
    size_t count, const service_endpoint_t **chosen)
{
    for (int node = 0; node < self->node_count; node++) {
        size_t chosen_count = 0;
        for (size_t i = 0; i < count; i++) {
            if (service_node_of(endpoints[i].address) == node)
                chosen[chosen_count++] = &endpoints[i];
        }
        if (chosen_count)
            add_slots(change, (unsigned)(SLOTS * (node + 1)), chosen, chosen_count);
    }
    add_member(change, "near", "");
}

static size_t *count_new(size_t value)
{
    size_t *count = xcalloc(1, sizeof(*count));
    *count = value;
    return count;
}

static void count_hairpin(service_table_t *self, FILE *out, const char *address, intptr_t change)
{
    size_t *count = zhashx_lookup(self->hairpins, address);
    size_t before = count ? *count : 0;
    size_t after = before + (size_t)change; /* wraps around to one less */
    if (after)
        zhashx_update(self->hairpins, address, count_new(after));
    else
        zhashx_delete(self->hairpins, address);
    if (!before || !after)
        fprintf(out, "%s element ip cluster hairpin { %s . %s }\n", after ? "add" : "delete",
            address, address);
}

static void count_hairpins(
    service_table_t *self, FILE *out, const placed_t *placed, intptr_t change)
{
    if (!placed)
        return;
    for (const char *address = zlistx_first(placed->addresses); address;
         address = zlistx_next(placed->addresses))
        count_hairpin(self, out, address, change);
}

static void placed_destroy(void **self_p)
{
    placed_t *self = TAKE(*self_p);
    free(self->removal);
    zlistx_destroy(&self->addresses);
    free(self);
}

static placed_t *placed_new(const service_endpoint_t *endpoints, size_t count)
{
    placed_t *self = xcalloc(1, sizeof(*self));
    self->addresses = zlistx_new();
    zlistx_set_duplicator(self->addresses, (czmq_duplicator *)strdup);
    zlistx_set_destructor(self->addresses, (czmq_destructor *)zstr_free);
    for (size_t i = 0; i < count; i++) {
        char text[INET_ADDRSTRLEN];
        zlistx_add_end(self->addresses, (void *)address_text(endpoints[i].address, text));
    }
    return self;
}

static void add_all(service_table_t *self, change_t *change, const service_front_t *front,
    const service_endpoint_t *endpoints, size_t count)
{
    const service_endpoint_t **chosen = xcalloc(count, sizeof(endpoints));
    for (size_t i = 0; i < count; i++)
        chosen[i] = &endpoints[i];
    if (front->is_near)
        add_near(self, change, endpoints, count, chosen);
    else if (front->affinity_s > 0)
        add_sticky(self, change, front, endpoints, count);
    else
        add_slots(change, 0, chosen, count);
    if (front->is_masked)
        add_member(change, "masked", "");
    free(chosen);
}

/* ---- setting ----------------------------------------------------------------------------------
 */

static int prepare_affinity(service_table_t *self, int64_t timeout_s, err_t *err)
{
    AUTO_FREE char *key = xasprintf("%lld", (long long)timeout_s);
    if (timeout_s <= 0 || zhashx_lookup(self->timeouts, key))
        return 0;
    AUTO_FREE char *commands = affinity_rules(timeout_s);
    int rc = ruleset_run(self->ruleset, commands, err);
    if (rc == 0)
        zhashx_insert(self->timeouts, key, (void *)"");
    return rc;
}

int service_table_set(service_table_t *self, const service_front_t *front,
    const service_endpoint_t *endpoints, size_t count, err_t *err)
{
    char text[INET_ADDRSTRLEN];
    AUTO_FREE char *key =
        xasprintf("%s . %s . %u", address_text(front->address, text), front->protocol, front->port);
    const placed_t *before = zhashx_lookup(self->in_force, key);
    placed_t *placed = placed_new(endpoints, count);
    AUTO_FREE char *added = NULL;
    AUTO_FREE char *removed = NULL;
    size_t added_size = 0;
    size_t removed_size = 0;
    change_t change = {.added = open_memstream(&added, &added_size),
        .removed = open_memstream(&removed, &removed_size),
        .key = key};
    fputs(before ? before->removal : "", change.added);
    count_hairpins(self, change.added, before, -1);
    count_hairpins(self, change.added, placed, 1);
    if (count)
        add_all(self, &change, front, endpoints, count);
    if (front->is_silent)
        add_member(&change, "silent", "");
    fclose(change.added);
    fclose(change.removed);
    int rc = prepare_affinity(self, front->affinity_s, err);
    if (rc == 0 && added_size)
        rc = ruleset_run(self->ruleset, added, err);
    placed->removal = TAKE(removed);
    zhashx_delete(self->in_force, key);
    if (removed_size)
        zhashx_insert(self->in_force, key, TAKE(placed));
    if (placed)
        placed_destroy((void **)&placed);
    return rc;
}

/* ---- life cycle -------------------------------------------------------------------------------
 */

static zhashx_t *texts_new(void)
{
    zhashx_t *texts = zhashx_new();
    zhashx_set_destructor(texts, (czmq_destructor *)zstr_free);
    return texts;
}

service_table_t *service_table_new(int node_count, err_t *err)
{
    AUTO(service_table_destroy) service_table_t *self = xcalloc(1, sizeof(*self));
    AUTO_FREE char *nodes = node_rules(node_count);
    self->node_count = node_count;
    self->in_force = zhashx_new();
    zhashx_set_destructor(self->in_force, placed_destroy);
    self->numbers = texts_new();
    self->hairpins = texts_new(); /* of counts, which are freed like texts */
    self->timeouts = zhashx_new();
    self->ruleset = ruleset_new(err);
    if (!self->ruleset || ruleset_run(self->ruleset, rules, err) < 0
        || ruleset_run(self->ruleset, nodes, err) < 0)
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
    zhashx_destroy(&self->numbers);
    zhashx_destroy(&self->hairpins);
    zhashx_destroy(&self->timeouts);
    free(self);
    *self_p = NULL;
}
