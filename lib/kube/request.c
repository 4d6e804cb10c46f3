/* The makers of requests. */
#include "kube/kube_internal.h"

#include "base/auto.h"
#include "base/mem.h"

#include <curl/curl.h>

static kube_request_t *request_new(const char *method, char *path)
{
    kube_request_t *self = xcalloc(1, sizeof(*self));
    self->method = method;
    self->path = path;
    return self;
}

void kube_request_destroy(kube_request_t **self_p)
{
    kube_request_t *self = *self_p;
    if (!self)
        return;
    kube_request_destroy(&self->instead);
    free(self->path);
    free(self->content_type);
    free(self->body);
    free(self);
    *self_p = NULL;
}

static kube_request_t *request_for(const char *method, kube_ref_t ref)
{
    err_t err = {0};
    kube_request_t *self = request_new(method, kube_path(ref, &err));
    self->err = err;
    return self;
}

static kube_request_t *with_body(kube_request_t *self, const char *content_type, const json_t *body)
{
    self->content_type = xstrdup(content_type);
    self->body = mem_check(json_dumps(body, JSON_COMPACT));
    return self;
}

/* Adds suffix (taken) to the path. */
static kube_request_t *with_suffix(kube_request_t *self, char *suffix)
{
    if (self->path) {
        char *path = xasprintf("%s%s", self->path, suffix);
        free(self->path);
        self->path = path;
    }
    free(suffix);
    return self;
}

static char *escaped(const char *text)
{
    char *escaped = mem_check(curl_easy_escape(NULL, text, 0));
    char *copy = xstrdup(escaped);
    curl_free(escaped);
    return copy;
}

char *kube_selectors(const char *name, const char *labels, const char *fields)
{
    AUTO_FREE char *all_fields =
        name ? xasprintf("metadata.name=%s%s%s", name, fields ? "," : "", fields ? fields : "")
             : xstrdup(fields ? fields : "");
    AUTO_FREE char *safe_fields = escaped(all_fields);
    AUTO_FREE char *safe_labels = escaped(labels ? labels : "");
    return xasprintf("?%s%s%s%s%s", *safe_labels ? "labelSelector=" : "", safe_labels,
        *safe_labels && *safe_fields ? "&" : "", *safe_fields ? "fieldSelector=" : "", safe_fields);
}

static kube_ref_t ref_of(const json_t *object, bool has_name)
{
    const json_t *metadata = json_object_get(object, "metadata");
    const char *namespace = json_string_value(json_object_get(metadata, "namespace"));
    const char *name = json_string_value(json_object_get(metadata, "name"));
    return (kube_ref_t){.kind = json_string_value(json_object_get(object, "kind")),
        .namespace = namespace ? namespace : "default",
        .name = has_name ? (name ? name : "") : NULL};
}

kube_request_t *kube_get(kube_ref_t ref)
{
    return request_for("GET", ref);
}

kube_request_t *kube_list(kube_ref_t ref, const char *labels, const char *fields)
{
    return with_suffix(request_for("GET", ref), kube_selectors(NULL, labels, fields));
}

kube_request_t *kube_create(const json_t *object)
{
    return with_body(request_for("POST", ref_of(object, false)), "application/json", object);
}

kube_request_t *kube_put(const json_t *object)
{
    return with_body(request_for("PUT", ref_of(object, true)), "application/json", object);
}

kube_request_t *kube_put_status(const json_t *object)
{
    kube_ref_t ref = ref_of(object, true);
    ref.subresource = "status";
    return with_body(request_for("PUT", ref), "application/json", object);
}

kube_request_t *kube_patch(kube_ref_t ref, kube_patch_type_t type, const json_t *patch)
{
    static const char *const content_types[] = {
        [KUBE_MERGE] = "application/merge-patch+json",
        [KUBE_STRATEGIC] = "application/strategic-merge-patch+json",
        [KUBE_JSON_PATCH] = "application/json-patch+json",
    };
    return with_body(request_for("PATCH", ref), content_types[type], patch);
}

kube_request_t *kube_apply(const json_t *object)
{
    kube_request_t *self = kube_create(object);
    self->instead = kube_patch(ref_of(object, true), KUBE_STRATEGIC, object);
    return self;
}

kube_request_t *kube_delete(kube_ref_t ref, int grace_seconds)
{
    kube_request_t *self = request_for("DELETE", ref);
    return grace_seconds < 0
               ? self
               : with_suffix(self, xasprintf("?gracePeriodSeconds=%d", grace_seconds));
}

kube_request_t *kube_delete_all(kube_ref_t ref, const char *labels)
{
    return with_suffix(request_for("DELETE", ref), kube_selectors(NULL, labels, NULL));
}

static kube_request_t *text_request(char *path)
{
    kube_request_t *self = request_new("GET", path);
    self->is_text = true;
    return self;
}

kube_request_t *kube_read_log(const kube_log_t *log)
{
    kube_request_t *self = text_request(xasprintf("/api/v1/namespaces/%s/pods/%s/log?follow=%s",
        log->namespace, log->pod, log->is_following ? "true" : "false"));
    self->is_unending = log->is_following;
    if (log->container)
        with_suffix(self, xasprintf("&container=%s", log->container));
    if (log->is_previous)
        with_suffix(self, xstrdup("&previous=true"));
    if (log->has_timestamps)
        with_suffix(self, xstrdup("&timestamps=true"));
    if (log->tail_lines)
        with_suffix(self, xasprintf("&tailLines=%d", log->tail_lines));
    if (log->since_seconds)
        with_suffix(self, xasprintf("&sinceSeconds=%d", log->since_seconds));
    return self;
}

kube_request_t *kube_pod_proxy(const char *namespace, const char *pod, int port, const char *path)
{
    return text_request(
        xasprintf("/api/v1/namespaces/%s/pods/%s:%d/proxy%s", namespace, pod, port, path));
}

kube_request_t *kube_service_proxy(
    const char *namespace, const char *service, const char *port, const char *path)
{
    return text_request(
        xasprintf("/api/v1/namespaces/%s/services/%s:%s/proxy%s", namespace, service, port, path));
}

kube_request_t *kube_node_proxy(const char *node, const char *path)
{
    return text_request(xasprintf("/api/v1/nodes/%s/proxy%s", node, path));
}

kube_request_t *kube_raw(
    const char *method, const char *path, const char *content_type, const char *body)
{
    kube_request_t *self = request_new(method ? method : "GET", xstrdup(path));
    self->content_type = content_type ? xstrdup(content_type) : NULL;
    self->body = body ? xstrdup(body) : NULL;
    self->is_raw = true;
    return self;
}

kube_request_t *kube_within(kube_request_t *request, int64_t timeout_ms)
{
    request->timeout_ms = timeout_ms;
    return request;
}
