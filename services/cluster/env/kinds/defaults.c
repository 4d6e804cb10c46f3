/* Defaults shared by pods and everything with a pod template (pkg/apis/core/v1/defaults.go). */
#include "services/cluster/env/kinds/defaults.h"

#include "services/cluster/env/object.h"

#include <string.h>

static bool is_unset(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return !value || json_is_null(value);
}

void default_string(json_t *object, const char *key, const char *value)
{
    if (is_unset(object, key) || !*object_string(object, key))
        json_object_set_new(object, key, json_string(value));
}

void default_integer(json_t *object, const char *key, json_int_t value)
{
    if (is_unset(object, key))
        json_object_set_new(object, key, json_integer(value));
}

void default_true(json_t *object, const char *key)
{
    if (is_unset(object, key))
        json_object_set_new(object, key, json_true());
}

json_t *default_object(json_t *object, const char *key)
{
    if (is_unset(object, key))
        json_object_set_new(object, key, json_object());
    json_t *value = json_object_get(object, key);
    return json_is_object(value) ? value : NULL;
}

static void default_http_get(json_t *action)
{
    if (!json_is_object(action))
        return;
    default_string(action, "path", "/");
    default_string(action, "scheme", "HTTP");
}

static void default_probe(json_t *probe)
{
    if (!json_is_object(probe))
        return;
    default_integer(probe, "timeoutSeconds", 1);
    default_integer(probe, "periodSeconds", 10);
    default_integer(probe, "successThreshold", 1);
    default_integer(probe, "failureThreshold", 3);
    default_http_get(json_object_get(probe, "httpGet"));
}

/* Always for :latest and for no tag at all, otherwise IfNotPresent. */
static const char *pull_policy(const char *image)
{
    const char *slash = strrchr(image, '/');
    const char *tag = strrchr(slash ? slash : image, ':');
    if (strchr(image, '@'))
        return "IfNotPresent";
    return !tag || !strcmp(tag, ":latest") ? "Always" : "IfNotPresent";
}

/* Requests that are missing are what the limits say. */
static void default_requests(json_t *resources)
{
    const char *key;
    json_t *limit;
    json_t *limits = json_object_get(resources, "limits");
    if (!json_object_size(limits))
        return;
    json_t *requests = default_object(resources, "requests");
    json_object_foreach(limits, key, limit)
    {
        if (!json_object_get(requests, key))
            json_object_set(requests, key, limit);
    }
}

static void default_container(json_t *container)
{
    size_t i;
    json_t *each;
    default_string(container, "terminationMessagePath", "/dev/termination-log");
    default_string(container, "terminationMessagePolicy", "File");
    default_string(container, "imagePullPolicy", pull_policy(object_string(container, "image")));
    default_requests(default_object(container, "resources"));
    json_array_foreach(json_object_get(container, "ports"), i, each)
        default_string(each, "protocol", "TCP");
    json_array_foreach(json_object_get(container, "env"), i, each)
    {
        json_t *field = object_at(each, "valueFrom.fieldRef");
        if (json_is_object(field))
            default_string(field, "apiVersion", "v1");
    }
    default_probe(json_object_get(container, "livenessProbe"));
    default_probe(json_object_get(container, "readinessProbe"));
    default_probe(json_object_get(container, "startupProbe"));
    default_http_get(object_at(container, "lifecycle.postStart.httpGet"));
    default_http_get(object_at(container, "lifecycle.preStop.httpGet"));
}

static void default_volume(json_t *volume)
{
    static const char *const with_mode[] = {"configMap", "secret", "projected", "downwardAPI"};
    if (json_object_size(volume) == 1 && json_object_get(volume, "name"))
        json_object_set_new(volume, "emptyDir", json_object());
    for (size_t i = 0; i < sizeof(with_mode) / sizeof(with_mode[0]); i++) {
        json_t *source = json_object_get(volume, with_mode[i]);
        if (json_is_object(source))
            default_integer(source, "defaultMode", 0644);
    }
    json_t *path = json_object_get(volume, "hostPath");
    if (json_is_object(path) && !json_object_get(path, "type"))
        json_object_set_new(path, "type", json_string(""));
}

void default_pod_spec(json_t *spec)
{
    size_t i;
    json_t *each;
    if (!json_is_object(spec))
        return;
    default_string(spec, "restartPolicy", "Always");
    default_integer(spec, "terminationGracePeriodSeconds", 30);
    default_string(spec, "dnsPolicy", "ClusterFirst");
    default_string(spec, "schedulerName", "default-scheduler");
    default_object(spec, "securityContext");
    if (*object_string(spec, "serviceAccountName")) /* the old name is kept in step */
        default_string(spec, "serviceAccount", object_string(spec, "serviceAccountName"));
    json_array_foreach(json_object_get(spec, "containers"), i, each) default_container(each);
    json_array_foreach(json_object_get(spec, "initContainers"), i, each) default_container(each);
    json_array_foreach(json_object_get(spec, "ephemeralContainers"), i, each)
        default_container(each);
    json_array_foreach(json_object_get(spec, "volumes"), i, each) default_volume(each);
}
