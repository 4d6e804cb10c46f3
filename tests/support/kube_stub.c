#include "tests/support/kube_stub.h"

#include "base/auto.h"
#include "base/mem.h"

#include <jansson.h>

static const char old_image[] = "good:1";

/* Watchers list anew. */
static const char gone[] = "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410}}\n";

static json_t *pod_template(const char *image)
{
    return json_pack("{s:{s:{s:s}}, s:{s:[{s:s, s:s}]}}", "metadata", "labels", "app", "geo",
        "spec", "containers", "name", "hotel-reserv-geo", "image", image);
}

static json_t *deployment(const kube_stub_t *self)
{
    char version[16];
    (void)snprintf(version, sizeof(version), "%d", self->version);
    int ready = self->is_unready ? 0 : self->replicas;
    return json_pack("{s:s, s:s, s:{s:s, s:s, s:i, s:s}, s:{s:i, s:{s:{s:s}}, s:o}, s:{s:i, s:i, "
                     "s:i, s:i, s:i}}",
        "apiVersion", "apps/v1", "kind", "Deployment", "metadata", "name", "geo", "namespace",
        "shop", "generation", 1, "resourceVersion", version, "spec", "replicas", self->replicas,
        "selector", "matchLabels", "app", "geo", "template", pod_template(self->image), "status",
        "observedGeneration", 1, "replicas", self->replicas, "updatedReplicas", self->replicas,
        "readyReplicas", ready, "availableReplicas", ready);
}

static json_t *pod(const kube_stub_t *self)
{
    char version[16];
    char name[32];
    (void)snprintf(version, sizeof(version), "%d", self->version);
    (void)snprintf(name, sizeof(name), "geo-abc-%d", self->pod_serial);
    const char *image = self->is_stuck ? old_image : self->image;
    return json_pack(
        "{s:s, s:s, s:{s:s, s:s, s:s, s:s, s:[{s:s}]}, s:{s:[{s:s, s:s}]}, s:{s:s, s:[{s:s, s:s}], "
        "s:[{s:s, s:s, s:{s:{}}}]}}",
        "apiVersion", "v1", "kind", "Pod", "metadata", "name", name, "namespace", "shop", "uid",
        image, "resourceVersion", version, "ownerReferences", "name", "geo-abc", "spec",
        "containers", "name", "hotel-reserv-geo", "image", image, "status", "phase", "Running",
        "conditions", "type", "Ready", "status", self->is_unready ? "False" : "True",
        "containerStatuses", "name", "hotel-reserv-geo", "image", image, "state", "running");
}

static char *dumped(json_t *object /* taken */)
{
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return mem_check(text);
}

static char *list_of(const kube_stub_t *self, const char *kind, json_t *item /* taken */)
{
    char version[16];
    (void)snprintf(version, sizeof(version), "%d", self->version);
    return dumped(
        json_pack("{s:s, s:s, s:{s:s}, s:o}", "apiVersion", "v1", "kind", kind, "metadata",
            "resourceVersion", version, "items", item ? json_pack("[o]", item) : json_array()));
}

static void fail_with(http_stub_answer_t *answer, int status, const char *message)
{
    answer->status = status;
    answer->body = dumped(json_pack("{s:s, s:s, s:s, s:i}", "kind", "Status", "status", "Failure",
        "message", message, "code", status));
}

static void write_over(kube_stub_t *self, const char *body, http_stub_answer_t *answer)
{
    json_t *json = json_loads(body, 0, NULL);
    const char *image = NULL;
    if (self->is_write_refused
        || json_unpack(json, "{s:{s:{s:{s:[{s:s}]}}}}", "spec", "template", "spec", "containers",
               "image", &image)
               < 0) {
        fail_with(answer, 500, "the write was refused");
    } else {
        self->writes++;
        (void)snprintf(self->image, sizeof(self->image), "%s", image);
        answer->body = dumped(deployment(self));
    }
    json_decref(json);
}

static void serve_one(
    kube_stub_t *self, const http_stub_request_t *request, http_stub_answer_t *answer)
{
    if (self->is_deleted) {
        fail_with(answer, 404, "deployments.apps \"geo\" not found");
    } else if (strcmp(request->method, "PUT") == 0) {
        write_over(self, request->body, answer);
    } else {
        self->gets++;
        answer->body = dumped(deployment(self));
    }
}

static json_t *config(void)
{
    return json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s}}", "apiVersion", "v1", "kind", "ConfigMap",
        "metadata", "name", "settings", "namespace", "shop", "data", "a", "b");
}

static void delete_pod(kube_stub_t *self, http_stub_answer_t *answer)
{
    answer->body = dumped(json_pack("{s:s, s:s}", "kind", "Status", "status", "Success"));
    if (self->is_pod_kept)
        return;
    self->pod_serial++;
    kube_stub_touch(self);
}

/* Whether the watch begins before a change that was told to those who watched then. */
static bool is_old(const kube_stub_t *self, const char *query)
{
    const char *version = strstr(query, "resourceVersion=");
    return version && strtol(strchr(version, '=') + 1, NULL, 10) < self->version;
}

static void serve(void *arg, const http_stub_request_t *request, http_stub_answer_t *answer)
{
    kube_stub_t *self = arg;
    if (strstr(request->query, "watch=")) {
        answer->is_unending = !is_old(self, request->query);
        answer->body = xstrdup(answer->is_unending ? "" : gone);
    } else if (strcmp(request->path, "/apis/apps/v1/namespaces/shop/deployments/geo") == 0) {
        serve_one(self, request, answer);
    } else if (strcmp(request->path, "/apis/apps/v1/namespaces/shop/deployments") == 0) {
        answer->body = list_of(self, "DeploymentList", self->is_deleted ? NULL : deployment(self));
    } else if (strcmp(request->path, "/apis/apps/v1/namespaces/shop/statefulsets") == 0
               || strcmp(request->path, "/apis/apps/v1/namespaces/shop/daemonsets") == 0
               || strcmp(request->path, "/apis/apps/v1/namespaces/shop/replicasets") == 0) {
        answer->body = list_of(self, "List", NULL);
    } else if (strcmp(request->path, "/api/v1/namespaces/shop/pods") == 0) {
        answer->body = list_of(self, "PodList", self->is_deleted ? NULL : pod(self));
    } else if (strcmp(request->method, "DELETE") == 0 && strstr(request->path, "/pods/")) {
        delete_pod(self, answer);
    } else if (strcmp(request->path, "/api/v1/namespaces/shop/configmaps") == 0) {
        answer->body = list_of(self, "ConfigMapList", self->has_config ? config() : NULL);
    } else if (strstr(request->path, "/proxy/") && self->is_mute) {
        fail_with(answer, 503, "connection refused");
    } else if (strstr(request->path, "/proxy/")) {
        answer->body = xstrdup(self->answer);
    } else {
        fail_with(answer, 404, "not in the play");
    }
}

void kube_stub_touch(kube_stub_t *self)
{
    self->version++;
    http_stub_push(self->http, gone);
    http_stub_hang_up(self->http);
}

kube_stub_t *kube_stub_new(ev_t *ev)
{
    kube_stub_t *self = xcalloc(1, sizeof(*self));
    (void)snprintf(self->image, sizeof(self->image), "%s", old_image);
    self->replicas = 1;
    self->version = 5;
    self->http = http_stub_new(ev, NULL, NULL, serve, self);
    return self;
}

void kube_stub_destroy(kube_stub_t **self_p)
{
    kube_stub_t *self = TAKE(*self_p);
    if (!self)
        return;
    http_stub_destroy(&self->http);
    free(self);
}
