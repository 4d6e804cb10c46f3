/* Cluster addresses and names, in step with Services and Endpoints. */
#include "services/cluster/env/kubelet/internal.h"

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

#include <arpa/inet.h>
#include <string.h>

enum { ENDPOINT_LIMIT = 256 };

static const char domain[] = ".svc.cluster.local";

/* ---- Services ----------------------------------------------------------------------------------
 */

typedef struct endpoint_list {
    service_endpoint_t items[ENDPOINT_LIMIT];
    size_t count;
} endpoint_list_t;

/* The port of a subset that has the Service port's name; unnamed ones have "" both. */
static int subset_port(const json_t *subset, const char *name)
{
    size_t i;
    json_t *port;
    json_array_foreach(object_at(subset, "ports"), i, port)
    {
        if (strcmp(object_string(port, "name"), name) == 0)
            return (int)object_integer(port, "port", 0);
    }
    return 0;
}

static void collect_endpoints(const json_t *endpoints, const char *port_name, endpoint_list_t *list)
{
    size_t i;
    size_t j;
    json_t *subset;
    json_t *address;
    list->count = 0;
    json_array_foreach(object_at(endpoints, "subsets"), i, subset)
    {
        int port = subset_port(subset, port_name);
        json_array_foreach(object_at(subset, "addresses"), j, address)
        {
            if (port && list->count < ENDPOINT_LIMIT)
                list->items[list->count++] =
                    (service_endpoint_t){{inet_addr(object_string(address, "ip"))}, (uint16_t)port};
        }
    }
}

static bool has_cluster_address(const json_t *service)
{
    const char *address = object_string(service, "spec.clusterIP");
    return *address && strcmp(address, "None") != 0;
}

static void set_ports(kubelet_t *self, const json_t *service, const json_t *endpoints)
{
    struct in_addr address = {inet_addr(object_string(service, "spec.clusterIP"))};
    size_t i;
    json_t *port;
    json_array_foreach(object_at(service, "spec.ports"), i, port)
    {
        endpoint_list_t list = {.count = 0};
        collect_endpoints(endpoints, object_string(port, "name"), &list);
        const char *protocol = strcmp(object_string(port, "protocol"), "UDP") == 0 ? "udp" : "tcp";
        err_t err = {0};
        if (service_table_set(self->services, address, protocol,
                (uint16_t)object_integer(port, "port", 0), list.items, list.count, &err)
            < 0)
            log_warn(
                "service.unreachable", "service=%s error=\"%s\"", object_name(service), err.text);
    }
}

static void sync_service(kubelet_t *self, const char *namespace, const char *name)
{
    store_t *store = self->context.store;
    const json_t *service = store_get(store, kind_find("Service"), namespace, name);
    const json_t *endpoints = store_get(store, kind_find("Endpoints"), namespace, name);
    if (service && has_cluster_address(service))
        set_ports(self, service, endpoints);
}

static void on_service(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    (void)kind;
    kubelet_t *self = arg;
    const json_t *gone = change == STORE_DELETED ? object : old;
    if (gone && has_cluster_address(gone))
        set_ports(self, gone, NULL);
    if (change != STORE_DELETED)
        sync_service(self, object_namespace(object), object_name(object));
}

static void begin_with(void *arg, json_t *service)
{
    sync_service(arg, object_namespace(service), object_name(service));
}

static void on_endpoints(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    (void)change, (void)kind, (void)old;
    sync_service(arg, object_namespace(object), object_name(object));
}

/* ---- names -------------------------------------------------------------------------------------
 */

static void add_address(dns_answer_t *answer, struct in_addr address)
{
    if (answer->count < DNS_ANSWER_LIMIT)
        answer->records[answer->count++].address = address;
}

static void add_endpoints(const json_t *endpoints, dns_answer_t *answer)
{
    size_t i;
    size_t j;
    json_t *subset;
    json_t *address;
    json_array_foreach(object_at(endpoints, "subsets"), i, subset)
    {
        json_array_foreach(object_at(subset, "addresses"), j, address)
            add_address(answer, (struct in_addr){inet_addr(object_string(address, "ip"))});
    }
}

/* A pod's own name below its Service: db-0.db. */
static void answer_host(
    kubelet_t *self, const json_t *service, const char *host, uint16_t type, dns_answer_t *answer)
{
    size_t i;
    size_t j;
    json_t *subset;
    json_t *address;
    const json_t *endpoints = store_get(self->context.store, kind_find("Endpoints"),
        object_namespace(service), object_name(service));
    json_array_foreach(object_at(endpoints, "subsets"), i, subset)
    {
        json_array_foreach(object_at(subset, "addresses"), j, address)
        {
            if (strcmp(object_string(address, "hostname"), host) != 0)
                continue;
            answer->is_known = true;
            if (type == DNS_A)
                add_address(answer, (struct in_addr){inet_addr(object_string(address, "ip"))});
        }
    }
}

static void answer_port(
    const json_t *service, const char *port_name, const char *protocol, dns_answer_t *answer)
{
    size_t i;
    json_t *port;
    json_array_foreach(object_at(service, "spec.ports"), i, port)
    {
        if (strcmp(object_string(port, "name"), port_name) != 0
            || strcasecmp(object_string(port, "protocol"), protocol) != 0)
            continue;
        dns_record_t *record = &answer->records[answer->count++];
        record->port = (uint16_t)object_integer(port, "port", 0);
        snprintf(record->target, sizeof(record->target), "%s.%s%s", object_name(service),
            object_namespace(service), domain);
        answer->is_known = true;
        return;
    }
}

static void answer_service(
    kubelet_t *self, const json_t *service, uint16_t type, dns_answer_t *answer)
{
    answer->is_known = true;
    if (type != DNS_A)
        return;
    if (has_cluster_address(service)) {
        add_address(answer, (struct in_addr){inet_addr(object_string(service, "spec.clusterIP"))});
        return;
    }
    add_endpoints(store_get(self->context.store, kind_find("Endpoints"), object_namespace(service),
                      object_name(service)),
        answer);
}

/* service.namespace.svc.cluster.local, and _port._protocol in front of it for SRV. */
static void lookup(void *arg, const char *name, uint16_t type, dns_answer_t *answer)
{
    kubelet_t *self = arg;
    size_t length = strlen(name);
    if (length <= sizeof(domain) - 1 || strcmp(name + length - (sizeof(domain) - 1), domain) != 0)
        return;
    char labels[DNS_NAME_LIMIT + 1];
    snprintf(labels, sizeof(labels), "%.*s", (int)(length - (sizeof(domain) - 1)), name);
    char *namespace = strrchr(labels, '.');
    if (!namespace)
        return;
    *namespace ++ = '\0';
    char *service_name = strrchr(labels, '.');
    char *front = service_name ? labels : NULL;
    if (service_name)
        *service_name++ = '\0';
    const json_t *service = store_get(
        self->context.store, kind_find("Service"), namespace, service_name ? service_name : labels);
    if (!service)
        return;
    if (!front) {
        answer_service(self, service, type, answer);
        return;
    }
    if (front[0] != '_') {
        answer_host(self, service, front, type, answer);
        return;
    }
    char *protocol = strstr(front, "._");
    if (!protocol || type != DNS_SRV)
        return;
    *protocol = '\0';
    answer_port(service, front + 1, protocol + 2, answer);
}

/* ---- life cycle --------------------------------------------------------------------------------
 */

int network_begin(kubelet_t *self, err_t *err)
{
    struct in_addr dns_address = {inet_addr("10.96.0.10")};
    self->services = service_table_new(err);
    if (!self->services)
        return -ERR_IO;
    self->dns = dns_new(self->context.ev, dns_address, lookup, self, err);
    if (!self->dns)
        return -ERR_IO;
    self->policies = policies_new(self->context.ev, self->context.store, err);
    if (!self->policies)
        return -ERR_IO;
    self->service_watch = store_watch(self->context.store, kind_find("Service"), on_service, self);
    self->endpoints_watch =
        store_watch(self->context.store, kind_find("Endpoints"), on_endpoints, self);
    store_each(self->context.store, kind_find("Service"), NULL, begin_with, self);
    return 0;
}

void network_end(kubelet_t *self)
{
    store_watch_end(&self->service_watch);
    store_watch_end(&self->endpoints_watch);
    policies_destroy(&self->policies);
    dns_destroy(&self->dns);
    service_table_destroy(&self->services);
}
