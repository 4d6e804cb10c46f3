/* EndpointSlices: one for each set of ports. (Real ones hold 100 endpoints at most; an environment
 * has fewer pods behind a Service than that.) */
#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/endpoints.h"
#include "services/cluster/env/object.h"

#define SERVICE_NAME "kubernetes.io/service-name"
#define MANAGED_BY   "endpointslice.kubernetes.io/managed-by"

static const char own_manager[] = "endpointslice-controller.k8s.io";
static const char mirror_manager[] = "endpointslicemirroring-controller.k8s.io";

typedef struct found {
    const char *service;
    const char *manager;
    json_t *slices;
} found_t;

static void find_slice(void *arg, json_t *slice)
{
    found_t *self = arg;
    const char *service = object_label(slice, SERVICE_NAME);
    const char *manager = object_label(slice, MANAGED_BY);
    if (service && strcmp(service, self->service) == 0 && manager
        && strcmp(manager, self->manager) == 0)
        json_array_append(self->slices, slice);
}

static json_t *slices_of(
    store_t *store, const char *namespace, const char *service, const char *manager)
{
    found_t found = {.service = service, .manager = manager, .slices = json_array()};
    store_each(store, kind_find("EndpointSlice"), namespace, find_slice, &found);
    return found.slices;
}

static json_t *endpoint(const backend_t *backend, const json_t *service)
{
    const char *hostname = backend_hostname(backend, service);
    json_t *entry = json_pack("{s:[s], s:{s:b, s:b, s:b}, s:s, s:o}", "addresses",
        object_string(backend->pod, "status.podIP"), "conditions", "ready", backend->is_ready,
        "serving", backend->is_serving || backend->is_ready, "terminating", backend->is_leaving,
        "nodeName", object_string(backend->pod, "spec.nodeName"), "targetRef",
        backend_target(backend));
    if (hostname)
        json_object_set_new(entry, "hostname", json_string(hostname));
    return entry;
}

/* A slice's ports have a name even if it is empty. */
static json_t *slice_ports(const json_t *ports)
{
    json_t *named = json_array();
    size_t i = 0;
    json_t *port = NULL;
    json_array_foreach(ports, i, port)
    {
        json_array_append_new(named,
            json_pack("{s:s, s:O, s:O}", "name", object_string(port, "name"), "port",
                json_object_get(port, "port"), "protocol", json_object_get(port, "protocol")));
    }
    return named;
}

/* The contents that the slices should have: [{ports, endpoints}]. */
static json_t *wanted_slices(const backends_t *backends, const json_t *service)
{
    json_t *wanted = json_array();
    const char *key = NULL;
    for (size_t i = 0; i < backends->count; i++) {
        const backend_t *backend = &backends->list[i];
        if (!key || strcmp(key, backend->port_key) != 0)
            json_array_append_new(wanted,
                json_pack("{s:o, s:[]}", "ports", slice_ports(backend->ports), "endpoints"));
        key = backend->port_key;
        json_t *last = json_array_get(wanted, json_array_size(wanted) - 1);
        json_array_append_new(json_object_get(last, "endpoints"), endpoint(backend, service));
    }
    if (backends->count == 0) /* a real one keeps an empty slice */
        json_array_append_new(wanted, json_pack("{s:[], s:[]}", "ports", "endpoints"));
    return wanted;
}

static json_t *slice_labels(const json_t *service, const char *manager)
{
    json_t *known = object_at(service, "metadata.labels");
    json_t *labels = known ? json_copy(known) : json_object();
    json_object_set_new(labels, SERVICE_NAME, json_string(object_name(service)));
    json_object_set_new(labels, MANAGED_BY, json_string(manager));
    if (strcmp(object_string(service, "spec.clusterIP"), "None") == 0)
        json_object_set_new(labels, "service.kubernetes.io/headless", json_string(""));
    return labels;
}

/* Whose slices are put: those of a Service with a selector are the Service's, mirrored ones belong
 * to the Endpoints that they mirror. */
typedef struct putting {
    store_t *store;
    const json_t *service;
    const json_t *owner;
    const char *manager;
} putting_t;

static void create(const putting_t *self, json_t *content)
{
    const json_t *service = self->service;
    json_t *slice = json_pack("{s:{s:o, s:s, s:o, s:[o]}, s:s}", "metadata", "generateName",
        json_sprintf("%s-", object_name(service)), "namespace", object_namespace(service), "labels",
        slice_labels(service, self->manager), "ownerReferences",
        object_owner_reference(self->owner), "addressType", "IPv4");
    json_object_update(slice, content);
    (void)store_create(self->store, kind_find("EndpointSlice"), slice, NULL,
        NULL); /* fails only when the namespace is going */
}

static void change(const putting_t *self, const json_t *slice, json_t *content)
{
    json_t *copy = object_copy(slice, "metadata");
    json_object_update(copy, content);
    json_object_set_new(
        json_object_get(copy, "metadata"), "labels", slice_labels(self->service, self->manager));
    (void)store_update(self->store, kind_find("EndpointSlice"), copy, STORE_ALL, NULL);
}

static void remove_slice(store_t *store, const json_t *slice)
{
    (void)store_delete(store, kind_find("EndpointSlice"), object_namespace(slice),
        object_name(slice), NULL, NULL); /* if it is gone, so much the better */
}

/* The index of the slice to carry these contents: the one with the same ports, else any. */
static size_t slice_for(const json_t *slices, const json_t *content)
{
    size_t i = 0;
    json_t *slice = NULL;
    json_array_foreach(slices, i, slice)
    {
        if (json_equal(json_object_get(slice, "ports"), json_object_get(content, "ports")))
            return i;
    }
    return 0;
}

static void put_slices(const putting_t *self, const json_t *wanted)
{
    const json_t *service = self->service;
    json_auto_t *slices =
        slices_of(self->store, object_namespace(service), object_name(service), self->manager);
    size_t i = 0;
    json_t *content = NULL;
    json_array_foreach(wanted, i, content)
    {
        size_t at = slice_for(slices, content);
        const json_t *slice = json_array_get(slices, at);
        if (slice)
            change(self, slice, content);
        else
            create(self, content);
        (void)json_array_remove(slices, at); /* past the end when there was none */
    }
    json_array_foreach(slices, i, content)
    {
        remove_slice(self->store, content);
    }
}

void endpoint_slices_put(store_t *store, const json_t *service, const backends_t *backends)
{
    json_auto_t *wanted = wanted_slices(backends, service);
    const putting_t putting = {store, service, service, own_manager};
    put_slices(&putting, wanted);
}

/* ---- mirroring --------------------------------------------------------------------------------
 */

static void mirror_addresses(json_t *endpoints, const json_t *addresses, bool is_ready)
{
    static const char *const kept[] = {"hostname", "nodeName", "targetRef"};
    size_t i = 0;
    json_t *address = NULL;
    json_array_foreach(addresses, i, address)
    {
        json_t *entry = json_pack("{s:[s], s:{s:b}}", "addresses", object_string(address, "ip"),
            "conditions", "ready", is_ready);
        for (size_t key = 0; key < ARRAY_SIZE(kept); key++) {
            if (json_object_get(address, kept[key]))
                json_object_set(entry, kept[key], json_object_get(address, kept[key]));
        }
        json_array_append_new(endpoints, entry);
    }
}

void endpoint_slices_mirror(store_t *store, const json_t *service, const json_t *endpoints)
{
    json_auto_t *wanted = json_array();
    const putting_t putting = {store, service, endpoints, mirror_manager};
    size_t i = 0;
    json_t *subset = NULL;
    json_array_foreach(json_object_get(endpoints, "subsets"), i, subset)
    {
        json_t *list = json_array();
        mirror_addresses(list, json_object_get(subset, "addresses"), true);
        mirror_addresses(list, json_object_get(subset, "notReadyAddresses"), false);
        json_array_append_new(
            wanted, json_pack("{s:o, s:o}", "ports", slice_ports(json_object_get(subset, "ports")),
                        "endpoints", list));
    }
    put_slices(&putting, wanted);
}

static void remove_all(
    store_t *store, const char *namespace, const char *service, const char *manager)
{
    json_auto_t *slices = slices_of(store, namespace, service, manager);
    size_t i = 0;
    json_t *slice = NULL;
    json_array_foreach(slices, i, slice)
    {
        remove_slice(store, slice);
    }
}

void endpoint_slices_remove(store_t *store, const char *namespace, const char *service)
{
    remove_all(store, namespace, service, own_manager);
    remove_all(store, namespace, service, mirror_manager);
}
