/* The aggregated form: everything in two documents. */
#include "services/cluster/env/api/discovery.h"

#include "services/cluster/env/api/review.h"
#include "services/cluster/env/api/served.h"

typedef struct listing {
    const char *group;
    const char *version;
    json_t *resources;
} listing_t;

static json_t *response_kind(const char *group, const char *version, const char *name)
{
    return json_pack("{s:s, s:s, s:s}", "group", group, "version", version, "kind", name);
}

static void add_subresource(void *arg, const kind_t *kind, const subresource_t *subresource)
{
    (void)kind;
    json_array_append_new(arg,
        json_pack("{s:s, s:o, s:o}", "subresource", subresource->name, "responseKind",
            response_kind(subresource->group, subresource->version, subresource->response_kind),
            "verbs", discovery_words(subresource->verbs)));
}

static void add_resource(void *arg, const served_t *served)
{
    listing_t *self = arg;
    const kind_t *kind = served->kind;
    json_auto_t *list = json_array();
    if (strcmp(served->group, self->group) != 0 || strcmp(served->version, self->version) != 0)
        return;
    json_t *resource = json_pack("{s:s, s:o, s:s, s:s, s:o}", "resource", kind->plural,
        "responseKind", response_kind(kind->group, served->version, kind->name), "scope",
        kind->is_namespaced ? "Namespaced" : "Cluster", "singularResource", kind->singular, "verbs",
        discovery_words(DISCOVERY_VERBS));
    discovery_set_list(resource, "shortNames", kind->short_names);
    discovery_set_list(resource, "categories", kind->categories);
    discovery_each_subresource(kind, add_subresource, list);
    if (json_array_size(list))
        json_object_set(resource, "subresources", list);
    json_array_append_new(self->resources, resource);
}

static void add_reviews(const listing_t *self)
{
    const review_t *review;
    for (size_t i = 0; (review = review_at(i)); i++) {
        if (strcmp(review->group, self->group) != 0 || strcmp(self->version, "v1") != 0)
            continue;
        json_array_append_new(
            self->resources, json_pack("{s:s, s:o, s:s, s:s, s:[s]}", "resource", review->plural,
                                 "responseKind", response_kind(review->group, "v1", review->kind),
                                 "scope", review->is_namespaced ? "Namespaced" : "Cluster",
                                 "singularResource", review->singular, "verbs", "create"));
    }
}

static void add_metrics(const listing_t *self)
{
    const metric_t *metric;
    for (size_t i = 0; !strcmp(self->group, METRICS_GROUP) && (metric = discovery_metric(i)); i++)
        json_array_append_new(self->resources,
            json_pack("{s:s, s:o, s:s, s:s, s:[s, s]}", "resource", metric->name, "responseKind",
                response_kind(METRICS_GROUP, METRICS_VERSION, metric->kind), "scope",
                metric->is_namespaced ? "Namespaced" : "Cluster", "singularResource", "", "verbs",
                "get", "list"));
}

static json_t *new_version(const store_t *store, const char *group, const char *version)
{
    listing_t listing = {.group = group, .version = version, .resources = json_array()};
    served_each(store, add_resource, &listing);
    add_reviews(&listing);
    add_metrics(&listing);
    return json_pack("{s:s, s:o, s:s}", "version", version, "resources", listing.resources,
        "freshness", "Current");
}

static json_t *new_group(const store_t *store, const json_t *group)
{
    const char *name = json_string_value(json_array_get(group, 0));
    json_t *versions = json_array();
    for (size_t i = 1; i < json_array_size(group); i++)
        json_array_append_new(
            versions, new_version(store, name, json_string_value(json_array_get(group, i))));
    json_t *metadata = *name ? json_pack("{s:s}", "name", name) : json_object();
    json_object_set_new(metadata, "creationTimestamp", json_null());
    return json_pack("{s:o, s:o}", "metadata", metadata, "versions", versions);
}

json_t *discovery_aggregated(const store_t *store, bool is_core, const char *version)
{
    json_auto_t *groups = is_core ? json_pack("[[s, s]]", "", "v1") : discovery_groups(store);
    json_t *items = json_array();
    size_t i;
    json_t *group;
    json_array_foreach(groups, i, group) json_array_append_new(items, new_group(store, group));
    return json_pack("{s:s, s:o, s:{}, s:o}", "kind", "APIGroupDiscoveryList", "apiVersion",
        json_sprintf("apidiscovery.k8s.io/%s", version), "metadata", "items", items);
}
