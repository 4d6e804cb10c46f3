/* Validation of pod specs and of what carries a pod template. */
#include "services/cluster/env/kinds/checks.h"

#include "services/cluster/env/object.h"
#include "services/cluster/env/selector.h"

#include "base/auto.h"
#include "base/mem.h"

#include <ctype.h>

/* ---- containers --------------------------------------------------------------------------- */

static void check_env(causes_t *causes, const char *field, const json_t *env)
{
    size_t i;
    json_t *variable;
    json_array_foreach(env, i, variable)
    {
        AUTO_FREE char *at = xasprintf("%s.env[%zu].name", field, i);
        if (!*object_string(variable, "name"))
            causes_required(causes, at, NULL);
    }
}

static void check_container_ports(causes_t *causes, const char *field, const json_t *ports)
{
    static const char *const protocols[] = {"SCTP", "TCP", "UDP", NULL};
    size_t i;
    json_t *port;
    json_array_foreach(ports, i, port)
    {
        AUTO_FREE char *number = xasprintf("%s.ports[%zu].containerPort", field, i);
        AUTO_FREE char *protocol_field = xasprintf("%s.ports[%zu].protocol", field, i);
        const char *protocol = object_string(port, "protocol");
        check_port(causes, number, json_object_get(port, "containerPort"));
        if (strcmp(protocol, "TCP") != 0 && strcmp(protocol, "UDP") != 0
            && strcmp(protocol, "SCTP") != 0)
            causes_unsupported(
                causes, protocol_field, json_object_get(port, "protocol"), protocols);
    }
}

static bool has_volume(const json_t *volumes, const char *name)
{
    size_t i;
    json_t *volume;
    json_array_foreach(volumes, i, volume)
    {
        if (!strcmp(object_string(volume, "name"), name))
            return true;
    }
    return false;
}

static bool has_dots(const char *path)
{
    for (const char *part = path; part; part = strchr(part, '/')) {
        part += *part == '/' ? 1 : 0;
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || !part[2]))
            return true;
    }
    return false;
}

static void check_sub_path(causes_t *causes, const char *at, const json_t *mount)
{
    AUTO_FREE char *field = xasprintf("%s.subPath", at);
    const char *path = object_string(mount, "subPath");
    if (*path == '/')
        causes_invalid(causes, field, json_object_get(mount, "subPath"), "must be a relative path");
    else if (has_dots(path))
        causes_invalid(causes, field, json_object_get(mount, "subPath"), "must not contain '..'");
}

static bool is_taken(const json_t *mounts, size_t index)
{
    const char *path = object_string(json_array_get(mounts, index), "mountPath");
    for (size_t i = 0; i < index; i++) {
        if (!strcmp(object_string(json_array_get(mounts, i), "mountPath"), path))
            return true;
    }
    return false;
}

static void check_mounts(
    causes_t *causes, const char *field, const json_t *mounts, const json_t *volumes)
{
    size_t i;
    json_t *mount;
    json_array_foreach(mounts, i, mount)
    {
        AUTO_FREE char *name = xasprintf("%s.volumeMounts[%zu].name", field, i);
        AUTO_FREE char *path = xasprintf("%s.volumeMounts[%zu].mountPath", field, i);
        AUTO_FREE char *at = xasprintf("%s.volumeMounts[%zu]", field, i);
        if (!*object_string(mount, "name"))
            causes_required(causes, name, NULL);
        else if (!has_volume(volumes, object_string(mount, "name")))
            causes_not_found(causes, name, json_object_get(mount, "name"));
        if (!*object_string(mount, "mountPath"))
            causes_required(causes, path, NULL);
        else if (is_taken(mounts, i))
            causes_invalid(causes, path, json_object_get(mount, "mountPath"), "must be unique");
        check_sub_path(causes, at, mount);
    }
}

static void check_container(
    causes_t *causes, const char *field, const json_t *container, const json_t *volumes)
{
    static const char *const policies[] = {"Always", "IfNotPresent", "Never", NULL};
    AUTO_FREE char *name = xasprintf("%s.name", field);
    AUTO_FREE char *image = xasprintf("%s.image", field);
    AUTO_FREE char *policy_field = xasprintf("%s.imagePullPolicy", field);
    const char *policy = object_string(container, "imagePullPolicy");
    const char *image_name = object_string(container, "image");
    if (!*object_string(container, "name"))
        causes_required(causes, name, NULL);
    else
        check_name(causes, name, object_string(container, "name"), NAME_LABEL);
    if (!*image_name)
        causes_required(causes, image, NULL);
    else if (image_name[0] == ' ' || image_name[strlen(image_name) - 1] == ' ')
        causes_invalid(causes, image, json_object_get(container, "image"),
            "must not have leading or trailing whitespace");
    if (strcmp(policy, "Always") != 0 && strcmp(policy, "IfNotPresent") != 0
        && strcmp(policy, "Never") != 0)
        causes_unsupported(
            causes, policy_field, json_object_get(container, "imagePullPolicy"), policies);
    check_env(causes, field, json_object_get(container, "env"));
    check_container_ports(causes, field, json_object_get(container, "ports"));
    check_mounts(causes, field, json_object_get(container, "volumeMounts"), volumes);
}

void check_containers(
    causes_t *causes, const char *field, const json_t *containers, const json_t *volumes)
{
    size_t i;
    json_t *container;
    json_array_foreach(containers, i, container)
    {
        AUTO_FREE char *at = xasprintf("%s[%zu]", field, i);
        AUTO_FREE char *name = xasprintf("%s.name", at);
        for (size_t j = 0; j < i; j++) {
            if (*object_string(container, "name")
                && !strcmp(object_string(container, "name"),
                    object_string(json_array_get(containers, j), "name")))
                causes_duplicate(causes, name, json_object_get(container, "name"));
        }
        check_container(causes, at, container, volumes);
    }
}

/* ---- pod specs ---------------------------------------------------------------------------- */

static void check_volumes(causes_t *causes, const char *field, const json_t *volumes)
{
    size_t i;
    json_t *volume;
    json_array_foreach(volumes, i, volume)
    {
        AUTO_FREE char *name = xasprintf("%s.volumes[%zu].name", field, i);
        AUTO_FREE char *at = xasprintf("%s.volumes[%zu]", field, i);
        if (!*object_string(volume, "name"))
            causes_required(causes, name, NULL);
        else
            check_name(causes, name, object_string(volume, "name"), NAME_LABEL);
        AUTO_FREE char *host_path = xasprintf("%s.hostPath.path", at);
        if (has_dots(object_string(volume, "hostPath.path")))
            causes_invalid(
                causes, host_path, object_at(volume, "hostPath.path"), "must not contain '..'");
        if (json_object_size(volume) > 2)
            causes_forbidden(causes, at, "may not specify more than 1 volume type");
    }
}

static void check_restart_policy(
    causes_t *causes, const char *field, const json_t *policy, bool is_template)
{
    static const char *const pods[] = {"Always", "OnFailure", "Never", NULL};
    static const char *const templates[] = {"Always", NULL};
    const char *const *supported = is_template ? templates : pods;
    AUTO_FREE char *at = xasprintf("%s.restartPolicy", field);
    for (size_t i = 0; supported[i]; i++) {
        if (json_is_string(policy) && !strcmp(json_string_value(policy), supported[i]))
            return;
    }
    causes_unsupported(causes, at, policy, supported);
}

static void check_names(causes_t *causes, const char *field, const json_t *spec)
{
    static const char *const policies[] = {
        "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None", NULL};
    const char *policy = object_string(spec, "dnsPolicy");
    AUTO_FREE char *policy_field = xasprintf("%s.dnsPolicy", field);
    AUTO_FREE char *servers_field = xasprintf("%s.dnsConfig.nameservers", field);
    bool is_known = !*policy;
    for (size_t i = 0; policies[i]; i++)
        is_known = is_known || strcmp(policies[i], policy) == 0;
    if (!is_known)
        causes_unsupported(causes, policy_field, json_object_get(spec, "dnsPolicy"), policies);
    if (strcmp(policy, "None") == 0 && !json_array_size(object_at(spec, "dnsConfig.nameservers")))
        causes_required(causes, servers_field,
            "must provide at least one DNS nameserver when `dnsPolicy` is None");
}

void check_pod_spec(causes_t *causes, const char *field, const json_t *spec, bool is_template)
{
    const json_t *volumes = json_object_get(spec, "volumes");
    const json_t *containers = json_object_get(spec, "containers");
    AUTO_FREE char *containers_field = xasprintf("%s.containers", field);
    AUTO_FREE char *init_field = xasprintf("%s.initContainers", field);
    AUTO_FREE char *grace_field = xasprintf("%s.terminationGracePeriodSeconds", field);
    if (!json_array_size(containers))
        causes_required(causes, containers_field, NULL);
    check_containers(causes, containers_field, containers, volumes);
    check_containers(causes, init_field, json_object_get(spec, "initContainers"), volumes);
    check_volumes(causes, field, volumes);
    check_restart_policy(causes, field, json_object_get(spec, "restartPolicy"), is_template);
    check_names(causes, field, spec);
    if (object_integer(spec, "terminationGracePeriodSeconds", 0) < 0)
        causes_invalid(causes, grace_field, json_object_get(spec, "terminationGracePeriodSeconds"),
            "must be greater than or equal to 0");
}

/* ---- what has a selector and a template --------------------------------------------------- */

/* Go's %v of a map of labels: map[string]string{"a":"b"}. */
static char *labels_text(const json_t *labels)
{
    AUTO_FREE char *text = json_dumps(labels, JSON_COMPACT | JSON_SORT_KEYS);
    return xasprintf("map[string]string%s", text ? text : "(nil)");
}

static void check_selector(causes_t *causes, const json_t *object)
{
    const json_t *selector = object_at(object, "spec.selector");
    const json_t *labels = object_at(object, "spec.template.metadata.labels");
    err_t err = {0};
    if (!json_is_object(selector)) {
        causes_required(causes, "spec.selector", NULL);
        return;
    }
    if (!json_object_size(selector)) {
        AUTO_FREE char *why =
            xasprintf("empty selector is invalid for %s", object_string(object, "kind"));
        for (char *c = why; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        causes_invalid_text(causes, "spec.selector", "v1.LabelSelector{}", why);
        return;
    }
    AUTO(selector_destroy) selector_t *parsed = selector_new(selector, &err);
    if (!parsed) {
        causes_invalid(causes, "spec.selector", selector, err.text);
    } else if (!selector_matches(parsed, labels)) {
        AUTO_FREE char *shown = labels_text(labels);
        causes_invalid_text(causes, "spec.template.metadata.labels", shown,
            "`selector` does not match template `labels`");
    }
}

void check_workload(causes_t *causes, const json_t *object, const json_t *old)
{
    const json_t *selector = object_at(object, "spec.selector");
    const json_t *template = object_at(object, "spec.template");
    if (object_integer(object, "spec.replicas", 0) < 0)
        causes_invalid(causes, "spec.replicas", object_at(object, "spec.replicas"),
            "must be greater than or equal to 0");
    check_selector(causes, object);
    if (old && selector && !json_equal(selector, object_at(old, "spec.selector")))
        causes_invalid(causes, "spec.selector", selector, "field is immutable");
    if (!json_is_object(template)) {
        causes_required(causes, "spec.template", NULL);
        return;
    }
    check_labels(causes, "spec.template.metadata.labels", object_at(template, "metadata.labels"));
    check_pod_spec(causes, "spec.template.spec", json_object_get(template, "spec"), true);
}
