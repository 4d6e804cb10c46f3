#include "services/cluster/env/kubelet/fronts.h"

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define SERVICE_NAME "kubernetes.io/service-name"

struct fronts {
    store_t *store; /* borrowed */
    int node_count;
    service_table_t *table;
    store_watch_t *service_watch;
    store_watch_t *slice_watch;
};

/* ---- endpoints --------------------------------------------------------------------------------
 */

typedef struct search {
    const char *service;
    const char *port_name;
    bool is_leaving; /* those that serve while they go are looked for, not the ready ones */
    endpoint_list_t *list;
} search_t;

/* The number of a slice's port of that name, or 0. */
static int slice_port(const json_t *slice, const char *name)
{
    size_t i;
    json_t *port;
    json_array_foreach(json_object_get(slice, "ports"), i, port)
    {
        if (strcmp(object_string(port, "name"), name) == 0)
            return (int)object_integer(port, "port", 0);
    }
    return 0;
}

/* What is not said is taken for well. */
static bool is_wanted(const search_t *self, const json_t *endpoint)
{
    const json_t *ready = object_at(endpoint, "conditions.ready");
    if (!self->is_leaving)
        return !json_is_false(ready);
    return object_is_true(endpoint, "conditions.serving")
           && object_is_true(endpoint, "conditions.terminating");
}

static bool has_address(const endpoint_list_t *list, struct in_addr address)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].address.s_addr == address.s_addr)
            return true;
    }
    return false;
}

static void add_addresses(const search_t *self, const json_t *endpoint, int port)
{
    size_t i;
    json_t *text;
    endpoint_list_t *list = self->list;
    json_array_foreach(json_object_get(endpoint, "addresses"), i, text)
    {
        struct in_addr address;
        if (json_is_string(text) && inet_pton(AF_INET, json_string_value(text), &address) == 1
            && list->count < FRONT_ENDPOINT_LIMIT && !has_address(list, address))
            list->items[list->count++] = (service_endpoint_t){address, (uint16_t)port};
    }
}

static void search_slice(void *arg, json_t *slice)
{
    const search_t *self = arg;
    const char *service = object_label(slice, SERVICE_NAME);
    size_t i;
    json_t *endpoint;
    if (!service || strcmp(service, self->service) != 0
        || strcmp(object_string(slice, "addressType"), "IPv4") != 0)
        return;
    int port = slice_port(slice, self->port_name);
    json_array_foreach(json_object_get(slice, "endpoints"), i, endpoint)
    {
        if (port && is_wanted(self, endpoint))
            add_addresses(self, endpoint, port);
    }
}

void fronts_find_endpoints(
    store_t *store, const json_t *service, const char *port_name, endpoint_list_t *list)
{
    search_t search = {.service = object_name(service), .port_name = port_name, .list = list};
    const kind_t *kind = kind_find("EndpointSlice");
    list->count = 0;
    store_each(store, kind, object_namespace(service), search_slice, &search);
    search.is_leaving = list->count == 0;
    if (search.is_leaving)
        store_each(store, kind, object_namespace(service), search_slice, &search);
}

/* ---- fronts -----------------------------------------------------------------------------------
 */

static bool has_cluster_address(const json_t *service)
{
    const char *address = object_string(service, "spec.clusterIP");
    return *address && strcmp(address, "None") != 0
           && strcmp(object_string(service, "spec.type"), "ExternalName") != 0;
}

static bool is_local(const json_t *service, const char *policy)
{
    return strcmp(object_string(service, policy), "Local") == 0;
}

static void set_front(fronts_t *self, const json_t *service, const service_front_t *front,
    const endpoint_list_t *list)
{
    err_t err = {0};
    if (service_table_set(self->table, front, list->items, list->count, &err) < 0)
        log_warn("service.unreachable", "service=%s error=\"%s\"", object_name(service), err.text);
}

/* On every node's address: to all endpoints with the node as the sender, or with the sender as it
 * is to those on the node. */
static void set_node_port(
    fronts_t *self, const json_t *service, const service_front_t *model, const endpoint_list_t *all)
{
    service_front_t front = *model;
    bool is_own = is_local(service, "spec.externalTrafficPolicy");
    front.is_masked = !is_own;
    for (int node = 0; node < self->node_count; node++) {
        endpoint_list_t list = {.count = 0};
        for (size_t i = 0; i < all->count; i++) {
            if (!is_own || service_node_of(all->items[i].address) == node)
                list.items[list.count++] = all->items[i];
        }
        front.address.s_addr = htonl(172U << 24 | 18U << 16 | (unsigned)(node + 2));
        front.is_silent = all->count > 0 && list.count == 0;
        set_front(self, service, &front, &list);
    }
}

static void set_port(
    fronts_t *self, const json_t *service, const json_t *port, const endpoint_list_t *list)
{
    bool is_sticky = strcmp(object_string(service, "spec.sessionAffinity"), "ClientIP") == 0;
    service_front_t front = {
        .address = {inet_addr(object_string(service, "spec.clusterIP"))},
        .protocol = strcmp(object_string(port, "protocol"), "UDP") == 0 ? "udp" : "tcp",
        .port = (uint16_t)object_integer(port, "port", 0),
        .affinity_s = is_sticky ? object_integer(
                          service, "spec.sessionAffinityConfig.clientIP.timeoutSeconds", 10800)
                                : 0,
    };
    service_front_t inside = front;
    inside.is_near = is_local(service, "spec.internalTrafficPolicy");
    inside.is_silent = inside.is_near && list->count > 0;
    set_front(self, service, &inside, list);
    front.port = (uint16_t)object_integer(port, "nodePort", 0);
    if (front.port)
        set_node_port(self, service, &front, list);
}

static void open_service(fronts_t *self, const json_t *service)
{
    size_t i;
    json_t *port;
    if (!has_cluster_address(service))
        return;
    json_array_foreach(object_at(service, "spec.ports"), i, port)
    {
        endpoint_list_t list;
        fronts_find_endpoints(self->store, service, object_string(port, "name"), &list);
        set_port(self, service, port, &list);
    }
}

static void close_service(fronts_t *self, const json_t *service)
{
    static const endpoint_list_t none;
    size_t i;
    json_t *port;
    if (!has_cluster_address(service))
        return;
    json_array_foreach(object_at(service, "spec.ports"), i, port)
        set_port(self, service, port, &none);
}

/* ---- changes ----------------------------------------------------------------------------------
 */

static void on_service(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    (void)kind;
    fronts_t *self = arg;
    const json_t *gone = change == STORE_DELETED ? object : old;
    if (gone && change != STORE_DELETED
        && json_equal(object_at(gone, "spec"), object_at(object, "spec")))
        return;
    if (gone)
        close_service(self, gone);
    if (change != STORE_DELETED)
        open_service(self, object);
}

static void begin_with(void *arg, json_t *service)
{
    open_service(arg, service);
}

static void on_slice(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    (void)change, (void)kind, (void)old;
    fronts_t *self = arg;
    const char *name = object_label(object, SERVICE_NAME);
    const json_t *service =
        name ? store_get(self->store, kind_find("Service"), object_namespace(object), name) : NULL;
    if (service)
        open_service(self, service);
}

/* ---- life cycle -------------------------------------------------------------------------------
 */

fronts_t *fronts_new(store_t *store, int node_count, err_t *err)
{
    AUTO(fronts_destroy) fronts_t *self = xcalloc(1, sizeof(*self));
    *self = (fronts_t){
        .store = store, .node_count = node_count, .table = service_table_new(node_count, err)};
    if (!self->table)
        return NULL;
    self->service_watch = store_watch(store, kind_find("Service"), on_service, self);
    self->slice_watch = store_watch(store, kind_find("EndpointSlice"), on_slice, self);
    store_each(store, kind_find("Service"), NULL, begin_with, self);
    return TAKE(self);
}

void fronts_destroy(fronts_t **self_p)
{
    fronts_t *self = *self_p;
    if (!self)
        return;
    store_watch_end(&self->service_watch);
    store_watch_end(&self->slice_watch);
    service_table_destroy(&self->table);
    free(self);
    *self_p = NULL;
}
