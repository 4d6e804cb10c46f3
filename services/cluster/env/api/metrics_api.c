/* metrics.k8s.io/v1beta1: what pods and nodes use, for `kubectl top`. */
#include "services/cluster/env/api/api_internal.h"

#include "services/cluster/env/api/status.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/selector.h"
#include "services/cluster/env/usage.h"

#include "base/auto.h"
#include "base/mem.h"

#define ROOT       "/apis/metrics.k8s.io/v1beta1"
#define NAMESPACES "namespaces/"
#define VERSION    "metrics.k8s.io/v1beta1"

/* ---- objects ------------------------------------------------------------------------------ */

static json_t *amount_object(const usage_amount_t *amount)
{
    return json_pack("{s:o, s:o}", "cpu", json_sprintf("%lldn", (long long)amount->cpu_nanos),
        "memory", json_sprintf("%lldKi", (long long)amount->memory_bytes / 1024));
}

static json_t *new_metrics(const char *kind, const json_t *object, const usage_amount_t *amount)
{
    json_t *metadata = json_pack(
        "{s:s, s:o}", "name", object_name(object), "creationTimestamp", object_time_now());
    if (*object_namespace(object))
        json_object_set_new(metadata, "namespace", json_string(object_namespace(object)));
    if (object_at(object, "metadata.labels"))
        json_object_set(metadata, "labels", object_at(object, "metadata.labels"));
    return json_pack("{s:s, s:s, s:o, s:o, s:o}", "kind", kind, "apiVersion", VERSION, "metadata",
        metadata, "timestamp", object_time_now(), "window",
        json_sprintf("%.3fs", (double)amount->window_ms / 1000));
}

/* NULL while nothing is known of it. */
static json_t *pod_metrics(api_t *self, const json_t *pod)
{
    usage_amount_t sum;
    json_t *list = json_array();
    size_t i;
    json_t *container;
    if (!usage_of_pod(self->usage, pod, &sum)) {
        json_decref(list);
        return NULL;
    }
    json_array_foreach(object_at(pod, "spec.containers"), i, container)
    {
        usage_amount_t amount = {0};
        (void)usage_of_container(self->usage, pod, object_string(container, "name"), &amount);
        json_array_append_new(
            list, json_pack("{s:s, s:o}", "name", object_string(container, "name"), "usage",
                      amount_object(&amount)));
    }
    json_t *metrics = new_metrics("PodMetrics", pod, &sum);
    json_object_set_new(metrics, "containers", list);
    return metrics;
}

typedef struct node_sum {
    api_t *api;
    const char *node;
    usage_amount_t amount;
} node_sum_t;

static void add_pod(void *arg, json_t *pod)
{
    node_sum_t *self = arg;
    usage_amount_t amount;
    if (strcmp(object_string(pod, "spec.nodeName"), self->node) != 0
        || !usage_of_pod(self->api->usage, pod, &amount))
        return;
    self->amount.cpu_nanos += amount.cpu_nanos;
    self->amount.memory_bytes += amount.memory_bytes;
    self->amount.window_ms = amount.window_ms;
}

static json_t *node_metrics(api_t *self, const json_t *node)
{
    node_sum_t sum = {.api = self, .node = object_name(node)};
    store_each(self->store, kind_find("Pod"), NULL, add_pod, &sum);
    json_t *metrics = new_metrics("NodeMetrics", node, &sum.amount);
    json_object_set_new(metrics, "usage", amount_object(&sum.amount));
    return metrics;
}

static json_t *metrics_of(api_t *self, const kind_t *kind, const json_t *object)
{
    return strcmp(kind->name, "Node") == 0 ? node_metrics(self, object) : pod_metrics(self, object);
}

/* ---- answers ------------------------------------------------------------------------------ */

typedef struct listing {
    api_t *api;
    const kind_t *kind;
    selector_t *selector;
    json_t *items;
} listing_t;

static void add_item(void *arg, json_t *object)
{
    listing_t *self = arg;
    if (!selector_matches(self->selector, object_at(object, "metadata.labels")))
        return;
    json_t *metrics = metrics_of(self->api, self->kind, object);
    if (metrics)
        json_array_append_new(self->items, metrics);
}

static void reply_list(api_t *self, request_t *request, const kind_t *kind, const char *namespace)
{
    const char *labels = request_query(request, "labelSelector");
    err_t err = {0};
    listing_t listing = {.api = self, .kind = kind};
    listing.selector = selector_parse(labels ? labels : "", &err);
    if (!listing.selector) {
        reply_bad_request(request, "%s", err.text);
        return;
    }
    listing.items = json_array();
    store_each(self->store, kind, namespace, add_item, &listing);
    selector_destroy(&listing.selector);
    reply_json(request, 200,
        json_pack("{s:o, s:s, s:{}, s:o}", "kind", json_sprintf("%sMetricsList", kind->name),
            "apiVersion", VERSION, "metadata", "items", listing.items));
}

static void reply_one(
    api_t *self, request_t *request, const kind_t *kind, const char *namespace, const char *name)
{
    const json_t *object = store_get(self->store, kind, namespace, name);
    json_t *metrics = object ? metrics_of(self, kind, object) : NULL;
    if (metrics)
        reply_json(request, 200, metrics);
    else
        reply_status(request, 404, "NotFound",
            json_pack(
                "{s:s, s:s, s:s}", "name", name, "group", "metrics.k8s.io", "kind", kind->plural),
            "%s.metrics.k8s.io \"%s%s%s\" not found", kind->plural, namespace ? namespace : "",
            namespace ? "/" : "", name);
}

/* RESOURCE[/NAME], after the namespace if there is one. */
static bool reply_resource(
    api_t *self, request_t *request, const char *namespace, const char *resource)
{
    static const char *const kinds[] = {"Pod", "Node"};
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const kind_t *kind = kind_find(kinds[i]);
        size_t length = strlen(kind->plural);
        if (strncmp(resource, kind->plural, length) != 0
            || (resource[length] && resource[length] != '/'))
            continue;
        AUTO_FREE char *name = resource[length] ? url_decode(
                                   resource + length + 1, strlen(resource + length + 1), false)
                                                : NULL;
        if (name && *name)
            reply_one(self, request, kind, namespace, name);
        else
            reply_list(self, request, kind, namespace);
        return true;
    }
    return false;
}

bool metrics_handle(api_t *self, request_t *request)
{
    const char *path = request->path;
    AUTO_FREE char *namespace = NULL;
    size_t length = sizeof(ROOT) - 1;
    if (!self->usage || strncmp(path, ROOT "/", length + 1) != 0)
        return false;
    if (strcmp(request->method, "GET") != 0) {
        reply_not_allowed(request);
        return true;
    }
    path += length + 1;
    if (strncmp(path, NAMESPACES, sizeof(NAMESPACES) - 1) == 0) {
        path += sizeof(NAMESPACES) - 1;
        size_t name_length = strcspn(path, "/");
        namespace = url_decode(path, name_length, false);
        path += name_length + (path[name_length] == '/');
    }
    return reply_resource(self, request, namespace, path);
}
