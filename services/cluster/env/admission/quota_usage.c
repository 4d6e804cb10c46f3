#include "services/cluster/env/admission/quota_usage.h"

#include "services/cluster/env/admission/pod_resources.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/quantity.h"

#include "base/auto.h"
#include "base/mem.h"

#include <string.h>

#define STORAGE_CLASS ".storageclass.storage.k8s.io/"

/* ---- names --------------------------------------------------------------------------------- */

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_kind(const kind_t *kind, const char *name)
{
    return strcmp(kind->name, name) == 0;
}

/* Objects that were counted before there was "count/…". */
static bool is_counted_by_plural(const kind_t *kind)
{
    static const char *const names[] = {"ConfigMap", "PersistentVolumeClaim", "Pod",
        "ReplicationController", "ResourceQuota", "Secret", "Service"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (is_kind(kind, names[i]))
            return true;
    }
    return false;
}

static bool is_pod_resource(const char *resource)
{
    static const char *const names[] = {"cpu", "memory", "ephemeral-storage", "limits.cpu",
        "limits.memory", "limits.ephemeral-storage"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (strcmp(resource, names[i]) == 0)
            return true;
    }
    return begins(resource, "hugepages-")
           || (begins(resource, "requests.") && strcmp(resource, "requests.storage") != 0);
}

bool quota_concerns(const kind_t *kind, const char *resource)
{
    if (!kind->is_namespaced || is_kind(kind, "Event"))
        return false;
    if (begins(resource, "count/"))
        return strcmp(resource + 6, kind_qualified(kind)) == 0;
    if (is_counted_by_plural(kind) && strcmp(resource, kind->plural) == 0)
        return true;
    if (is_kind(kind, "Service"))
        return strcmp(resource, "services.nodeports") == 0
               || strcmp(resource, "services.loadbalancers") == 0;
    if (is_kind(kind, "PersistentVolumeClaim"))
        return strcmp(resource, "requests.storage") == 0 || strstr(resource, STORAGE_CLASS);
    return is_kind(kind, "Pod") && is_pod_resource(resource) && !strstr(resource, STORAGE_CLASS);
}

/* ---- usage --------------------------------------------------------------------------------- */

static void set_count(json_t *usage, const char *resource, size_t count)
{
    json_object_set_new(usage, resource, quantity_new((int64_t)count * 1000, false));
}

/* One that has ended takes nothing, nor one that should have ended by now. */
static bool is_alive(const json_t *pod)
{
    const char *phase = object_string(pod, "status.phase");
    const char *deletion = object_string(pod, "metadata.deletionTimestamp");
    return strcmp(phase, "Succeeded") != 0 && strcmp(phase, "Failed") != 0
           && (!*deletion || object_time_parse(deletion) >= time(NULL));
}

/* Amounts of containers as quotas name them. */
static void add_compute(json_t *usage, const json_t *requests, const json_t *limits)
{
    static const char *const native[] = {"cpu", "memory", "ephemeral-storage"};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)requests, key, value)
    {
        bool is_native = begins(key, "hugepages-");
        for (size_t i = 0; i < ARRAY_SIZE(native); i++)
            is_native = is_native || strcmp(key, native[i]) == 0;
        AUTO_FREE char *name = xasprintf("requests.%s", key);
        json_object_set_new(usage, name, quantity_canonical(value));
        if (is_native)
            json_object_set_new(usage, key, quantity_canonical(value));
    }
    for (size_t i = 0; i < ARRAY_SIZE(native); i++) {
        const json_t *limit = json_object_get(limits, native[i]);
        AUTO_FREE char *name = xasprintf("limits.%s", native[i]);
        if (limit)
            json_object_set_new(usage, name, quantity_canonical(limit));
    }
}

static void add_pod(json_t *usage, const json_t *pod)
{
    if (!is_alive(pod))
        return;
    json_auto_t *requests = pod_resources(pod, "requests");
    json_auto_t *limits = pod_resources(pod, "limits");
    set_count(usage, "pods", 1);
    add_compute(usage, requests, limits);
}

static void add_service(json_t *usage, const json_t *service)
{
    const char *type = object_string(service, "spec.type");
    size_t ports = json_array_size(object_at(service, "spec.ports"));
    bool is_balanced = strcmp(type, "LoadBalancer") == 0;
    const json_t *wants_ports = object_at(service, "spec.allocateLoadBalancerNodePorts");
    bool has_ports = strcmp(type, "NodePort") == 0 || (is_balanced && !json_is_false(wants_ports));
    set_count(usage, "services", 1);
    set_count(usage, "services.nodeports", has_ports ? ports : 0);
    set_count(usage, "services.loadbalancers", is_balanced);
}

static void add_claim(json_t *usage, const json_t *claim)
{
    const char *class = object_string(claim, "spec.storageClassName");
    const json_t *size = object_at(claim, "spec.resources.requests.storage");
    set_count(usage, "persistentvolumeclaims", 1);
    if (size)
        json_object_set_new(usage, "requests.storage", quantity_canonical(size));
    if (!*class)
        return;
    AUTO_FREE char *count = xasprintf("%s" STORAGE_CLASS "persistentvolumeclaims", class);
    AUTO_FREE char *amount = xasprintf("%s" STORAGE_CLASS "requests.storage", class);
    set_count(usage, count, 1);
    if (size)
        json_object_set_new(usage, amount, quantity_canonical(size));
}

json_t *quota_usage(const kind_t *kind, const json_t *object)
{
    json_t *usage = json_object();
    AUTO_FREE char *count = xasprintf("count/%s", kind_qualified(kind));
    set_count(usage, count, 1);
    if (is_kind(kind, "Pod"))
        add_pod(usage, object);
    else if (is_kind(kind, "Service"))
        add_service(usage, object);
    else if (is_kind(kind, "PersistentVolumeClaim"))
        add_claim(usage, object);
    else if (is_counted_by_plural(kind))
        set_count(usage, kind->plural, 1);
    return usage;
}

/* ---- what must be said --------------------------------------------------------------------- */

/* Names of a pod's containers, in order, that say nothing of a resource; for free(). */
static char *silent_containers(const json_t *pod, const char *resource)
{
    static const char *const lists[] = {"containers", "initContainers"};
    json_auto_t *names = json_object();
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        size_t j;
        json_t *container;
        json_array_foreach(json_object_get(json_object_get(pod, "spec"), lists[i]), j, container)
        {
            json_auto_t *usage = json_object();
            add_compute(usage, object_at(container, "resources.requests"),
                object_at(container, "resources.limits"));
            if (!json_object_get(usage, resource))
                json_object_set_new(names, object_string(container, "name"), json_true());
        }
    }
    char *text = NULL;
    size_t size, count;
    AUTO_FREE const char **keys = object_sorted_keys(names, &count);
    FILE *out = mem_check(open_memstream(&text, &size));
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%s", i ? "," : "", keys[i]);
    fclose(out);
    return text;
}

char *quota_missing(const json_t *hard, const json_t *pod)
{
    /* In order. That these must be named is an old mistake, kept by Kubernetes for old quotas. */
    static const char *const demanded[] = {
        "cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory"};
    AUTO_FREE char *text = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(demanded); i++) {
        if (!json_object_get(hard, demanded[i]))
            continue;
        AUTO_FREE char *names = silent_containers(pod, demanded[i]);
        if (!*names)
            continue;
        char *longer = text ? xasprintf("%s; %s for: %s", text, demanded[i], names)
                            : xasprintf("must specify %s for: %s", demanded[i], names);
        free(text);
        text = longer;
    }
    return TAKE(text);
}
