/* Discovery: which groups, versions and resources there are, in the old form and the aggregated
 * one; version and health. */
#include "services/cluster/env/api/discovery.h"

#include "services/cluster/env/api/openapi.h"
#include "services/cluster/env/api/review.h"
#include "services/cluster/env/api/served.h"
#include "services/cluster/env/api/status.h"

#include "base/auto.h"
#include "base/mem.h"

/* ---- what both forms share ---------------------------------------------------------------- */

json_t *discovery_words(const char *words)
{
    json_t *list = json_array();
    while (*words) {
        size_t length = strcspn(words, " ");
        json_array_append_new(list, json_stringn(words, length));
        words += length + (words[length] == ' ');
    }
    return list;
}

void discovery_set_list(json_t *object, const char *key, const char *const *texts)
{
    if (!texts)
        return;
    json_t *list = json_array();
    for (size_t i = 0; texts[i]; i++)
        json_array_append_new(list, json_string(texts[i]));
    json_object_set_new(object, key, list);
}

#define CERTIFICATES "certificates.k8s.io"
#define CONNECT      "create delete get patch update"
#define CHANGE       "get patch update"

static const subresource_t subresources[] = {
    {"CertificateSigningRequest", "approval", CHANGE, "CertificateSigningRequest", CERTIFICATES,
        "v1"},
    {"Node", "proxy", CONNECT, "NodeProxyOptions", "", "v1"},
    {"Pod", "attach", "create get", "PodAttachOptions", "", "v1"},
    {"Pod", "ephemeralcontainers", CHANGE, "Pod", "", "v1"},
    {"Pod", "eviction", "create", "Eviction", "policy", "v1"},
    {"Pod", "exec", "create get", "PodExecOptions", "", "v1"},
    {"Pod", "log", "get", "Pod", "", "v1"},
    {"Pod", "portforward", "create get", "PodPortForwardOptions", "", "v1"},
    {"Pod", "proxy", CONNECT, "PodProxyOptions", "", "v1"},
    {"Service", "proxy", CONNECT, "ServiceProxyOptions", "", "v1"},
    {"ServiceAccount", "token", "create", "TokenRequest", "authentication.k8s.io", "v1"},
};

void discovery_each_subresource(const kind_t *kind,
    void (*add)(void *arg, const kind_t *kind, const subresource_t *subresource), void *arg)
{
    static const subresource_t scale = {.name = "scale",
        .verbs = CHANGE,
        .response_kind = "Scale",
        .group = "autoscaling",
        .version = "v1"};
    const subresource_t status = {.name = "status",
        .verbs = CHANGE,
        .response_kind = kind->name,
        .group = kind->group,
        .version = kind->version};
    for (size_t i = 0; !kind->custom && i < ARRAY_SIZE(subresources); i++) {
        if (!strcmp(subresources[i].kind, kind->name))
            add(arg, kind, &subresources[i]);
    }
    if (kind->has_scale)
        add(arg, kind, &scale);
    if (kind->has_status)
        add(arg, kind, &status);
}

const metric_t *discovery_metric(size_t i)
{
    static const metric_t metrics[] = {
        {"nodes", "NodeMetrics", false}, {"pods", "PodMetrics", true}};
    return i < ARRAY_SIZE(metrics) ? &metrics[i] : NULL;
}

/* ---- groups ------------------------------------------------------------------------------- */

static void add_version(json_t *groups, const char *group, const char *version)
{
    json_t *found = NULL;
    size_t i;
    json_t *each;
    if (!*group)
        return;
    json_array_foreach(groups, i, each)
    {
        if (!strcmp(json_string_value(json_array_get(each, 0)), group))
            found = each;
    }
    if (!found) {
        json_array_append_new(groups, json_pack("[s, s]", group, version));
        return;
    }
    for (i = 1; i < json_array_size(found); i++) {
        if (!strcmp(json_string_value(json_array_get(found, i)), version))
            return;
    }
    json_array_append_new(found, json_string(version));
}

static void add_served_version(void *arg, const served_t *served)
{
    add_version(arg, served->group, served->version);
}

json_t *discovery_groups(const store_t *store)
{
    json_t *groups = json_array();
    served_each(store, add_served_version, groups);
    for (size_t i = 0; review_at(i); i++)
        add_version(groups, review_at(i)->group, "v1");
    add_version(groups, METRICS_GROUP, METRICS_VERSION);
    return groups;
}

static json_t *version_object(const char *group, const json_t *version)
{
    return json_pack("{s:o, s:O}", "groupVersion",
        json_sprintf("%s/%s", group, json_string_value(version)), "version", version);
}

static json_t *group_object(const json_t *group)
{
    const char *name = json_string_value(json_array_get(group, 0));
    json_t *versions = json_array();
    for (size_t i = 1; i < json_array_size(group); i++)
        json_array_append_new(versions, version_object(name, json_array_get(group, i)));
    return json_pack("{s:s, s:o, s:O}", "name", name, "versions", versions, "preferredVersion",
        json_array_get(versions, 0));
}

static json_t *group_list(const store_t *store)
{
    json_auto_t *groups = discovery_groups(store);
    json_t *list = json_array();
    size_t i;
    json_t *group;
    json_array_foreach(groups, i, group) json_array_append_new(list, group_object(group));
    return json_pack("{s:s, s:s, s:o}", "kind", "APIGroupList", "apiVersion", "v1", "groups", list);
}

/* APIGroup of one group, or NULL if there is none. */
static json_t *find_group(const store_t *store, const char *name)
{
    json_auto_t *groups = discovery_groups(store);
    size_t i;
    json_t *group;
    json_array_foreach(groups, i, group)
    {
        if (strcmp(json_string_value(json_array_get(group, 0)), name) != 0)
            continue;
        json_t *object = group_object(group);
        json_object_set_new(object, "kind", json_string("APIGroup"));
        json_object_set_new(object, "apiVersion", json_string("v1"));
        return object;
    }
    return NULL;
}

static json_t *core_versions(void)
{
    return json_pack("{s:s, s:[s], s:[{s:s, s:s}]}", "kind", "APIVersions", "versions", "v1",
        "serverAddressByClientCIDRs", "clientCIDR", "0.0.0.0/0", "serverAddress", "10.96.0.1:443");
}

/* ---- resources in the old form ------------------------------------------------------------ */

typedef struct listing {
    const char *group;
    const char *version;
    json_t *resources;
} listing_t;

static void add_subresource(void *arg, const kind_t *kind, const subresource_t *subresource)
{
    json_t *resource = json_pack("{s:o, s:s, s:b, s:s, s:o}", "name",
        json_sprintf("%s/%s", kind->plural, subresource->name), "singularName", "", "namespaced",
        kind->is_namespaced, "kind", subresource->response_kind, "verbs",
        discovery_words(subresource->verbs));
    if (strcmp(subresource->group, kind->group) != 0) {
        json_object_set_new(resource, "group", json_string(subresource->group));
        json_object_set_new(resource, "version", json_string(subresource->version));
    }
    json_array_append_new(arg, resource);
}

static void add_resource(void *arg, const served_t *served)
{
    listing_t *self = arg;
    const kind_t *kind = served->kind;
    if (strcmp(served->group, self->group) != 0 || strcmp(served->version, self->version) != 0)
        return;
    json_t *resource = json_pack("{s:s, s:s, s:b, s:s, s:o}", "name", kind->plural, "singularName",
        kind->singular, "namespaced", kind->is_namespaced, "kind", kind->name, "verbs",
        discovery_words(DISCOVERY_VERBS));
    discovery_set_list(resource, "shortNames", kind->short_names);
    discovery_set_list(resource, "categories", kind->categories);
    json_array_append_new(self->resources, resource);
    discovery_each_subresource(kind, add_subresource, self->resources);
}

static void add_others(const listing_t *self)
{
    const review_t *review;
    const metric_t *metric;
    for (size_t i = 0; (review = review_at(i)); i++) {
        if (strcmp(review->group, self->group) != 0 || strcmp(self->version, "v1") != 0)
            continue;
        json_array_append_new(
            self->resources, json_pack("{s:s, s:s, s:b, s:s, s:[s]}", "name", review->plural,
                                 "singularName", review->singular, "namespaced",
                                 review->is_namespaced, "kind", review->kind, "verbs", "create"));
    }
    if (strcmp(self->group, METRICS_GROUP) != 0 || strcmp(self->version, METRICS_VERSION) != 0)
        return;
    for (size_t i = 0; (metric = discovery_metric(i)); i++)
        json_array_append_new(self->resources,
            json_pack("{s:s, s:s, s:b, s:s, s:[s, s]}", "name", metric->name, "singularName", "",
                "namespaced", metric->is_namespaced, "kind", metric->kind, "verbs", "get", "list"));
}

/* APIResourceList of one group version, or NULL if there is none. */
static json_t *resource_list(const store_t *store, const char *group, const char *version)
{
    json_auto_t *resources = json_array();
    listing_t listing = {.group = group, .version = version, .resources = resources};
    served_each(store, add_resource, &listing);
    add_others(&listing);
    if (!json_array_size(resources))
        return NULL;
    return json_pack("{s:s, s:s, s:o, s:O}", "kind", "APIResourceList", "apiVersion", "v1",
        "groupVersion", json_sprintf("%s%s%s", group, *group ? "/" : "", version), "resources",
        resources);
}

/* ---- requests ----------------------------------------------------------------------------- */

/* /api or /apis, in the form that the client prefers. */
static void reply_discovery(const api_t *self, request_t *request, bool is_core)
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
        json_auto_t *document = discovery_aggregated(self->store, is_core, versions[i]);
        AUTO_FREE char *text = mem_check(json_dumps(document, JSON_COMPACT));
        reply_bytes(request, 200, types[i], text, strlen(text));
        return;
    }
    reply_json(request, 200, is_core ? core_versions() : group_list(self->store));
}

static void reply_version(request_t *request)
{
    reply_json(request, 200,
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "major", "1", "minor", "30",
            "gitVersion", "v1.30.0", "gitCommit", "7c48c2bd72b9bf5c44d21d7338cc7bea77d0ad2a",
            "gitTreeState", "clean", "buildDate", "2024-04-17T17:36:05Z", "goVersion", "go1.22.2",
            "compiler", "gc", "platform", "linux/amd64"));
}

static bool reply_fixed(const api_t *self, request_t *request)
{
    const char *path = request->path;
    if (!strcmp(path, "/api"))
        reply_discovery(self, request, true);
    else if (!strcmp(path, "/apis"))
        reply_discovery(self, request, false);
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
    if (reply_fixed(self, request) || openapi_handle(self, request))
        return true;
    json_t *document = NULL;
    if (!strcmp(request->path, "/api/v1"))
        document = resource_list(self->store, "", "v1");
    else if (sscanf(request->path, "/apis/%127[^/]/%31[^/]%n", group, version, &length) == 2
             && length && !request->path[length])
        document = resource_list(self->store, group, version);
    else if (sscanf(request->path, "/apis/%127[^/]%n", group, &length) == 1
             && !request->path[length])
        document = find_group(self->store, group);
    if (document)
        reply_json(request, 200, document);
    return document;
}
