#include "services/cluster/env/controllers/backends.h"

#include "base/mem.h"
#include "services/cluster/env/controllers/pods.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/selector.h"

typedef struct gathering {
    backends_t *backends;
    const json_t *service;
} gathering_t;

/* The number that a pod's containers give a port's name; 0 if none does. */
static int64_t named_port(const json_t *pod, const char *name, const char *protocol)
{
    size_t i = 0, j = 0;
    json_t *container = NULL;
    json_t *port = NULL;
    json_array_foreach(object_at(pod, "spec.containers"), i, container)
    {
        json_array_foreach(json_object_get(container, "ports"), j, port)
        {
            const char *has = object_string(port, "protocol");
            if (strcmp(object_string(port, "name"), name) == 0
                && strcmp(*has ? has : "TCP", protocol) == 0)
                return object_integer(port, "containerPort", 0);
        }
    }
    return 0;
}

static int64_t target_port(const json_t *pod, const json_t *port, const char *protocol)
{
    const json_t *target = json_object_get(port, "targetPort");
    if (json_is_string(target)) {
        int64_t number = strtoll(json_string_value(target), NULL, 10);
        return number ? number : named_port(pod, json_string_value(target), protocol);
    }
    int64_t number = json_is_integer(target) ? json_integer_value(target) : 0;
    return number ? number : object_integer(port, "port", 0);
}

/* The Service's ports on a pod; those that the pod does not name are left out. */
static json_t *ports_on(const json_t *service, const json_t *pod)
{
    json_t *ports = json_array();
    size_t i = 0;
    json_t *port = NULL;
    json_array_foreach(object_at(service, "spec.ports"), i, port)
    {
        const char *given = object_string(port, "protocol");
        const char *protocol = *given ? given : "TCP";
        const char *name = object_string(port, "name");
        int64_t number = target_port(pod, port, protocol);
        if (!number)
            continue;
        json_t *entry = json_object();
        if (*name)
            json_object_set_new(entry, "name", json_string(name));
        json_object_set_new(entry, "port", json_integer(number));
        json_object_set_new(entry, "protocol", json_string(protocol));
        json_array_append_new(ports, entry);
    }
    return ports;
}

static void gather(void *arg, json_t *pod)
{
    gathering_t *self = arg;
    if (!selector_map_matches(
            object_at(self->service, "spec.selector"), object_at(pod, "metadata.labels"))
        || pod_is_ended(pod) || !*object_string(pod, "status.podIP"))
        return;
    json_t *ports = ports_on(self->service, pod);
    if (json_array_size(object_at(self->service, "spec.ports")) && !json_array_size(ports)) {
        json_decref(ports);
        return;
    }
    backends_t *backends = self->backends;
    if (backends->count == backends->capacity) {
        backends->capacity = backends->capacity ? 2 * backends->capacity : 8;
        backends->list =
            mem_check(reallocarray(backends->list, backends->capacity, sizeof(*backends->list)));
    }
    bool is_lenient = object_is_true(self->service, "spec.publishNotReadyAddresses");
    backend_t *backend = &backends->list[backends->count++];
    *backend = (backend_t){.pod = json_incref(pod), .ports = ports};
    backend->port_key = mem_check(json_dumps(ports, JSON_COMPACT));
    backend->is_leaving = object_is_deleted(pod);
    backend->is_serving = pod_is_ready(pod);
    backend->is_ready = is_lenient || (backend->is_serving && !backend->is_leaving);
}

static int compare(const void *left, const void *right)
{
    const backend_t *a = left;
    const backend_t *b = right;
    int order = strcmp(a->port_key, b->port_key);
    return order ? order
                 : strcmp(
                     object_string(a->pod, "status.podIP"), object_string(b->pod, "status.podIP"));
}

void backends_init(backends_t *self, store_t *store, const json_t *service)
{
    *self = (backends_t){0};
    gathering_t gathering = {.backends = self, .service = service};
    store_each(store, kind_find("Pod"), object_namespace(service), gather, &gathering);
    if (self->count)
        qsort(self->list, self->count, sizeof(*self->list), compare);
}

void backends_done(backends_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        json_decref(self->list[i].pod);
        json_decref(self->list[i].ports);
        free(self->list[i].port_key);
    }
    free(self->list);
    *self = (backends_t){0};
}

const char *backend_hostname(const backend_t *self, const json_t *service)
{
    const char *hostname = object_string(self->pod, "spec.hostname");
    const char *subdomain = object_string(self->pod, "spec.subdomain");
    return *hostname && strcmp(subdomain, object_name(service)) == 0 ? hostname : NULL;
}

json_t *backend_target(const backend_t *self)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "kind", "Pod", "namespace",
        object_namespace(self->pod), "name", object_name(self->pod), "uid", object_uid(self->pod));
}
