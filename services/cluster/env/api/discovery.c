/* Discovery: which groups, versions and resources there are, in the old form and the aggregated
 * one; version and health. */
#include "services/cluster/env/api/api_internal.h"

#include "services/cluster/env/api/openapi.h"
#include "services/cluster/env/api/review.h"
#include "services/cluster/env/api/status.h"
#include "services/cluster/env/api/subresources.h"

#include "base/auto.h"
#include "base/mem.h"

static const char old_verbs[] = "create delete deletecollection get list patch update watch";
enum { GROUPS_MAX = 32 };

#define METRICS_GROUP   "metrics.k8s.io"
#define METRICS_VERSION "v1beta1"

static json_t *verb_list(const char *verbs)
{
    json_t *list = json_array();
    while (*verbs) {
        size_t length = strcspn(verbs, " ");
        json_array_append_new(list, json_stringn(verbs, length));
        verbs += length + (verbs[length] == ' ');
    }
    return list;
}

static void set_list(json_t *object, const char *key, const char *const *texts)
{
    if (!texts)
        return;
    json_t *list = json_array();
    for (size_t i = 0; texts[i]; i++)
        json_array_append_new(list, json_string(texts[i]));
    json_object_set_new(object, key, list);
}

/* ---- the old form ------------------------------------------------------------------------- */

static json_t *old_resource(const kind_t *kind)
{
    json_t *resource =
        json_pack("{s:s, s:s, s:b, s:s, s:o}", "name", kind->plural, "singularName", kind->singular,
            "namespaced", kind->is_namespaced, "kind", kind->name, "verbs", verb_list(old_verbs));
    set_list(resource, "shortNames", kind->short_names);
    set_list(resource, "categories", kind->categories);
    return resource;
}

static void add_old_subresource(void *arg, const kind_t *kind, const subresource_t *subresource)
{
    json_t *resource = json_pack("{s:o, s:s, s:b, s:s, s:o}", "name",
        json_sprintf("%s/%s", kind->plural, subresource->name), "singularName", "", "namespaced",
        kind->is_namespaced, "kind", subresource->response_kind, "verbs",
        verb_list(subresource->verbs));
    if (strcmp(subresource->group, kind->group) != 0) {
        json_object_set_new(resource, "group", json_string(subresource->group));
        json_object_set_new(resource, "version", json_string("v1"));
    }
    json_array_append_new(arg, resource);
}

static void add_old_resources(json_t *resources, const kind_t *kind)
{
    json_array_append_new(resources, old_resource(kind));
    subresources_each(kind, add_old_subresource, resources);
}

/* Returns whether the group has any. */
static bool add_old_reviews(json_t *resources, const char *group)
{
    bool has_any = false;
    for (size_t i = 0; review_at(i); i++) {
        const review_t *review = review_at(i);
        if (strcmp(review->group, group) != 0)
            continue;
        has_any = true;
        json_array_append_new(
            resources, json_pack("{s:s, s:s, s:b, s:s, s:[s]}", "name", review->plural,
                           "singularName", review->singular, "namespaced", review->is_namespaced,
                           "kind", review->kind, "verbs", "create"));
    }
    return has_any;
}

/* What `kubectl top` asks for. */
static const struct {
    const char *name;
    const char *kind;
    bool is_namespaced;
} metrics[] = {{"nodes", "NodeMetrics", false}, {"pods", "PodMetrics", true}};

static void add_old_metrics(json_t *resources)
{
    for (size_t i = 0; i < ARRAY_SIZE(metrics); i++)
        json_array_append_new(
            resources, json_pack("{s:s, s:s, s:b, s:s, s:[s, s]}", "name", metrics[i].name,
                           "singularName", "", "namespaced", metrics[i].is_namespaced, "kind",
                           metrics[i].kind, "verbs", "get", "list"));
}

/* APIResourceList of one group, or NULL if there is none. */
static json_t *resource_list(const char *group, const char *version)
{
    json_auto_t *resources = json_array();
    json_auto_t *name = json_sprintf("%s%s%s", group, *group ? "/" : "", version);
    const char *api_version = NULL;
    for (size_t i = 0; kind_at(i); i++) {
        const kind_t *kind = kind_at(i);
        const kind_t *old = old_version_of(kind);
        bool is_older = old && !strcmp(version, old->version);
        if (strcmp(kind->group, group) != 0 || (strcmp(kind->version, version) != 0 && !is_older))
            continue;
        api_version = json_string_value(name);
        add_old_resources(resources, kind);
    }
    if (!strcmp(group, METRICS_GROUP) && !strcmp(version, METRICS_VERSION)) {
        api_version = json_string_value(name);
        add_old_metrics(resources);
    }
    if (!strcmp(version, "v1") && add_old_reviews(resources, group))
        api_version = json_string_value(name);
    if (!api_version)
        return NULL;
    return json_pack("{s:s, s:s, s:s, s:O}", "kind", "APIResourceList", "apiVersion", "v1",
        "groupVersion", api_version, "resources", resources);
}

static void add_group(const char **groups, size_t size, size_t *count_p, const char *group)
{
    for (size_t i = 0; i < *count_p; i++) {
        if (!strcmp(groups[i], group))
            return;
    }
    if (*group && *count_p < size)
        groups[(*count_p)++] = group;
}

/* The groups beside the core one, each once. */
static size_t group_names(const char **groups, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; kind_at(i); i++)
        add_group(groups, size, &count, kind_at(i)->group);
    for (size_t i = 0; review_at(i); i++)
        add_group(groups, size, &count, review_at(i)->group);
    add_group(groups, size, &count, METRICS_GROUP);
    return count;
}

static bool is_group(const char *name)
{
    const char *groups[GROUPS_MAX];
    size_t count = group_names(groups, ARRAY_SIZE(groups));
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(groups[i], name))
            return true;
    }
    return false;
}

/* The version of a group that is preferred. */
static const char *group_version(const char *group)
{
    for (size_t i = 0; kind_at(i); i++) {
        if (!strcmp(kind_at(i)->group, group))
            return kind_at(i)->version;
    }
    return !strcmp(group, METRICS_GROUP) ? METRICS_VERSION : "v1";
}

static json_t *version_object(const char *group, const char *version)
{
    return json_pack(
        "{s:o, s:s}", "groupVersion", json_sprintf("%s/%s", group, version), "version", version);
}

static json_t *group_object(const char *group)
{
    json_auto_t *preferred = version_object(group, group_version(group));
    json_auto_t *versions = json_pack("[O]", preferred);
    for (size_t i = 0; kind_at(i); i++) {
        const kind_t *old = old_version_of(kind_at(i));
        if (old && !strcmp(kind_at(i)->group, group))
            json_array_append_new(versions, version_object(group, old->version));
    }
    return json_pack(
        "{s:s, s:O, s:O}", "name", group, "versions", versions, "preferredVersion", preferred);
}

static json_t *group_list(void)
{
    const char *groups[GROUPS_MAX];
    size_t count = group_names(groups, ARRAY_SIZE(groups));
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, group_object(groups[i]));
    return json_pack("{s:s, s:s, s:o}", "kind", "APIGroupList", "apiVersion", "v1", "groups", list);
}

static json_t *core_versions(void)
{
    return json_pack("{s:s, s:[s], s:[{s:s, s:s}]}", "kind", "APIVersions", "versions", "v1",
        "serverAddressByClientCIDRs", "clientCIDR", "0.0.0.0/0", "serverAddress", "10.96.0.1:443");
}

/* ---- the aggregated form ------------------------------------------------------------------ */

static json_t *response_kind(const char *group, const char *name)
{
    return json_pack(
        "{s:s, s:s, s:s}", "group", group, "version", group_version(group), "kind", name);
}

static void add_new_subresource(void *arg, const kind_t *kind, const subresource_t *subresource)
{
    (void)kind;
    json_array_append_new(
        arg, json_pack("{s:s, s:o, s:o}", "subresource", subresource->name, "responseKind",
                 response_kind(subresource->group, subresource->response_kind), "verbs",
                 verb_list(subresource->verbs)));
}

static json_t *new_resource(const kind_t *kind)
{
    json_auto_t *list = json_array();
    json_t *resource = json_pack("{s:s, s:o, s:s, s:s, s:o}", "resource", kind->plural,
        "responseKind", response_kind(kind->group, kind->name), "scope",
        kind->is_namespaced ? "Namespaced" : "Cluster", "singularResource", kind->singular, "verbs",
        verb_list(old_verbs));
    set_list(resource, "shortNames", kind->short_names);
    set_list(resource, "categories", kind->categories);
    subresources_each(kind, add_new_subresource, list);
    if (json_array_size(list))
        json_object_set(resource, "subresources", list);
    return resource;
}

static json_t *new_review(const review_t *review)
{
    return json_pack("{s:s, s:o, s:s, s:s, s:[s]}", "resource", review->plural, "responseKind",
        response_kind(review->group, review->kind), "scope",
        review->is_namespaced ? "Namespaced" : "Cluster", "singularResource", review->singular,
        "verbs", "create");
}

static json_t *new_group(const char *group)
{
    json_auto_t *resources = json_array();
    json_t *metadata = json_object();
    for (size_t i = 0; kind_at(i); i++) {
        if (!strcmp(kind_at(i)->group, group))
            json_array_append_new(resources, new_resource(kind_at(i)));
    }
    for (size_t i = 0; review_at(i); i++) {
        if (!strcmp(review_at(i)->group, group))
            json_array_append_new(resources, new_review(review_at(i)));
    }
    for (size_t i = 0; !strcmp(group, METRICS_GROUP) && i < ARRAY_SIZE(metrics); i++)
        json_array_append_new(
            resources, json_pack("{s:s, s:o, s:s, s:s, s:[s, s]}", "resource", metrics[i].name,
                           "responseKind", response_kind(group, metrics[i].kind), "scope",
                           metrics[i].is_namespaced ? "Namespaced" : "Cluster", "singularResource",
                           "", "verbs", "get", "list"));
    if (*group)
        json_object_set_new(metadata, "name", json_string(group));
    json_object_set_new(metadata, "creationTimestamp", json_null());
    return json_pack("{s:o, s:[{s:s, s:O, s:s}]}", "metadata", metadata, "versions", "version",
        group_version(group), "resources", resources, "freshness", "Current");
}

static json_t *new_discovery(bool is_core, const char *version)
{
    const char *groups[GROUPS_MAX];
    size_t count = group_names(groups, ARRAY_SIZE(groups));
    json_t *items = json_array();
    if (is_core)
        json_array_append_new(items, new_group(""));
    for (size_t i = 0; !is_core && i < count; i++)
        json_array_append_new(items, new_group(groups[i]));
    return json_pack("{s:s, s:o, s:{}, s:o}", "kind", "APIGroupDiscoveryList", "apiVersion",
        json_sprintf("apidiscovery.k8s.io/%s", version), "metadata", "items", items);
}

/* ---- requests ----------------------------------------------------------------------------- */

/* /api or /apis, in the form that the client prefers. */
static void reply_discovery(request_t *request, bool is_core)
{
    static const char *const versions[] = {"v2", "v2beta1"};
    static const char *const types[] = {
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"};
    const char *accept = request->accept ? request->accept : "";
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        AUTO_FREE char *wanted = xasprintf("v=%s;", versions[i]);
        if (!strstr(accept, "as=APIGroupDiscoveryList") || !strstr(accept, wanted))
            continue;
        json_auto_t *document = new_discovery(is_core, versions[i]);
        AUTO_FREE char *text = mem_check(json_dumps(document, JSON_COMPACT));
        reply_bytes(request, 200, types[i], text, strlen(text));
        return;
    }
    reply_json(request, 200, is_core ? core_versions() : group_list());
}

static void reply_version(request_t *request)
{
    reply_json(request, 200,
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "major", "1", "minor", "30",
            "gitVersion", "v1.30.0", "gitCommit", "7c48c2bd72b9bf5c44d21d7338cc7bea77d0ad2a",
            "gitTreeState", "clean", "buildDate", "2024-04-17T17:36:05Z", "goVersion", "go1.22.2",
            "compiler", "gc", "platform", "linux/amd64"));
}

static bool reply_fixed(request_t *request)
{
    const char *path = request->path;
    if (!strcmp(path, "/api"))
        reply_discovery(request, true);
    else if (!strcmp(path, "/apis"))
        reply_discovery(request, false);
    else if (!strcmp(path, "/version"))
        reply_version(request);
    else if (!strcmp(path, "/healthz") || !strcmp(path, "/livez") || !strcmp(path, "/readyz"))
        reply_text(request, 200, "ok");
    else
        return false;
    return true;
}

bool discovery_handle(api_t *self, request_t *request)
{
    char group[128];
    char version[32];
    int length = 0;
    if (strcmp(request->method, "GET") != 0)
        return false;
    if (reply_fixed(request) || openapi_handle(self, request))
        return true;
    json_t *document = NULL;
    if (!strcmp(request->path, "/api/v1"))
        document = resource_list("", "v1");
    else if (sscanf(request->path, "/apis/%127[^/]/%31[^/]%n", group, version, &length) == 2
             && length && !request->path[length])
        document = resource_list(group, version);
    else if (sscanf(request->path, "/apis/%127[^/]%n", group, &length) == 1
             && !request->path[length] && is_group(group))
        document = group_object(group);
    if (document)
        reply_json(request, 200, document);
    return document;
}
