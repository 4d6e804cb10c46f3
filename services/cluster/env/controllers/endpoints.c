/* Endpoints and EndpointSlices: the addresses behind Services, following readiness. */
#include "services/cluster/env/controllers/endpoints.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/controller.h"
#include "services/cluster/env/controllers/work_queue.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/selector.h"

typedef struct endpoints {
    store_t *store;
    const kind_t *kind;
    const kind_t *service_kind;
    work_queue_t *queue;
    store_watch_t *service_watch;
    store_watch_t *pod_watch;
    store_watch_t *watch;
} endpoints_t;

/* ---- Endpoints ---------------------------------------------------------------------------- */

static json_t *address(const backend_t *backend, const json_t *service)
{
    const char *hostname = backend_hostname(backend, service);
    json_t *entry = json_pack("{s:s}", "ip", object_string(backend->pod, "status.podIP"));
    if (*object_string(backend->pod, "spec.nodeName"))
        json_object_set(entry, "nodeName", object_at(backend->pod, "spec.nodeName"));
    json_object_set_new(entry, "targetRef", backend_target(backend));
    if (hostname)
        json_object_set_new(entry, "hostname", json_string(hostname));
    return entry;
}

static void append_to(json_t *subset, const char *key, json_t *entry)
{
    if (!json_object_get(subset, key))
        json_object_set_new(subset, key, json_array());
    json_array_append_new(json_object_get(subset, key), entry);
}

static json_t *subsets_of(const backends_t *backends, const json_t *service)
{
    json_t *subsets = json_array();
    json_t *subset = NULL;
    const char *key = NULL;
    for (size_t i = 0; i < backends->count; i++) {
        const backend_t *backend = &backends->list[i];
        if (backend->is_leaving && !backend->is_ready)
            continue;
        if (!key || strcmp(key, backend->port_key) != 0) {
            subset = json_object();
            json_array_append_new(subsets, subset);
        }
        key = backend->port_key;
        append_to(subset, backend->is_ready ? "addresses" : "notReadyAddresses",
            address(backend, service));
        if (json_array_size(backend->ports))
            json_object_set(subset, "ports", backend->ports);
    }
    return subsets;
}

static json_t *labels_of(const json_t *service)
{
    json_t *known = object_at(service, "metadata.labels");
    json_t *labels = known ? json_copy(known) : json_object();
    if (strcmp(object_string(service, "spec.clusterIP"), "None") == 0)
        json_object_set_new(labels, "service.kubernetes.io/headless", json_string(""));
    return labels;
}

static void put_endpoints(endpoints_t *self, const json_t *service, const backends_t *backends)
{
    json_t *subsets = subsets_of(backends, service);
    json_t *present =
        store_get(self->store, self->kind, object_namespace(service), object_name(service));
    json_t *next = present ? object_copy(present, "metadata")
                           : json_pack("{s:{s:s, s:s}}", "metadata", "name", object_name(service),
                               "namespace", object_namespace(service));
    json_t *labels = labels_of(service);
    if (json_object_size(labels))
        json_object_set(json_object_get(next, "metadata"), "labels", labels);
    json_decref(labels);
    if (json_array_size(subsets))
        json_object_set(next, "subsets", subsets);
    else
        json_object_del(next, "subsets");
    json_decref(subsets);
    if (present) /* fails only when the namespace is going */
        (void)store_update(self->store, self->kind, next, STORE_ALL, NULL);
    else
        (void)store_create(self->store, self->kind, next, NULL, NULL);
}

/* ---- reconciling ------------------------------------------------------------------------------
 */

/* Somebody else writes its endpoints, or slices of them. */
static void mirror(endpoints_t *self, const json_t *service)
{
    const json_t *endpoints =
        store_get(self->store, self->kind, object_namespace(service), object_name(service));
    const char *skip = object_label(endpoints, "endpointslice.kubernetes.io/skip-mirror");
    if (endpoints && (!skip || strcmp(skip, "true") != 0))
        endpoint_slices_mirror(self->store, service, endpoints);
    else
        endpoint_slices_remove(self->store, object_namespace(service), object_name(service));
}

static void reconcile(void *arg, const char *namespace, const char *name)
{
    endpoints_t *self = arg;
    json_auto_t *service = json_incref(store_get(self->store, self->service_kind, namespace, name));
    if (!service) {
        (void)store_delete(self->store, self->kind, namespace, name, NULL, NULL);
        endpoint_slices_remove(self->store, namespace, name);
        return;
    }
    if (!json_object_size(object_at(service, "spec.selector"))) {
        mirror(self, service);
        return;
    }
    backends_t backends;
    backends_init(&backends, self->store, service);
    put_endpoints(self, service, &backends);
    endpoint_slices_put(self->store, service, &backends);
    backends_done(&backends);
}

static void add_service(void *arg, json_t *service)
{
    work_queue_add_object(((endpoints_t *)arg)->queue, service);
}

static void on_service(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    (void)change;
    (void)kind;
    (void)old;
    add_service(arg, object);
}

/* Somebody took Endpoints away whose Service is there: they are made again. Those of a Service
 * without a selector are mirrored. */
static void on_endpoints(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    endpoints_t *self = arg;
    (void)kind;
    (void)old;
    json_t *service =
        store_get(self->store, self->service_kind, object_namespace(object), object_name(object));
    if (service
        && (change == STORE_DELETED || !json_object_size(object_at(service, "spec.selector"))))
        add_service(self, service);
}

typedef struct choice {
    endpoints_t *self;
    const json_t *labels;
} choice_t;

static void add_if_selecting(void *arg, json_t *service)
{
    const choice_t *choice = arg;
    if (selector_map_matches(object_at(service, "spec.selector"), choice->labels))
        add_service(choice->self, service);
}

static void add_selecting(endpoints_t *self, const json_t *pod)
{
    choice_t choice = {.self = self, .labels = object_at(pod, "metadata.labels")};
    store_each(self->store, self->service_kind, object_namespace(pod), add_if_selecting, &choice);
}

static void on_pod(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    endpoints_t *self = arg;
    (void)change;
    (void)kind;
    if (*object_string(object, "status.podIP"))
        add_selecting(self, object);
    if (old && !json_equal(object_at(old, "metadata.labels"), object_at(object, "metadata.labels")))
        add_selecting(self, old);
}

/* ---- life cycle --------------------------------------------------------------------------- */

static void *open_endpoints(const controller_deps_t *deps)
{
    endpoints_t *self = xcalloc(1, sizeof(*self));
    self->store = deps->store;
    self->kind = kind_find("Endpoints");
    self->service_kind = kind_find("Service");
    self->queue = work_queue_new(deps->ev, reconcile, self);
    self->service_watch = store_watch(deps->store, self->service_kind, on_service, self);
    self->pod_watch = store_watch(deps->store, kind_find("Pod"), on_pod, self);
    self->watch = store_watch(deps->store, self->kind, on_endpoints, self);
    store_each(deps->store, self->service_kind, NULL, add_service, self);
    return self;
}

static void close_endpoints(void *arg)
{
    endpoints_t *self = arg;
    store_watch_end(&self->service_watch);
    store_watch_end(&self->pod_watch);
    store_watch_end(&self->watch);
    work_queue_destroy(&self->queue);
    free(self);
}

const controller_kind_t controller_endpoints = {
    .name = "endpoints",
    .open = open_endpoints,
    .close = close_endpoints,
};
