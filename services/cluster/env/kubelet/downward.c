#include "services/cluster/env/kubelet/downward.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/quantity.h"

#include <string.h>

/* ---- fields -----------------------------------------------------------------------------------
 */

/* As Go's %q writes them: key="value", a line for each, sorted. */
static char *lines_of(const json_t *map)
{
    char *text = xstrdup("");
    const char *key;
    json_t *value;
    json_auto_t *sorted = json_array();
    AUTO_FREE char *dump = json_dumps(map ? map : sorted, JSON_SORT_KEYS);
    json_auto_t *ordered = json_loads(dump, 0, NULL);
    json_object_foreach(ordered, key, value)
    {
        AUTO_FREE char *quoted = json_dumps(value, JSON_ENCODE_ANY);
        char *longer = xasprintf("%s%s%s=%s", text, *text ? "\n" : "", key, quoted);
        free(text);
        text = longer;
    }
    return text;
}

static const char *named(const json_t *pod, const char *path)
{
    char key[320];
    if (sscanf(path, "metadata.labels['%319[^']']", key) == 1)
        return object_label(pod, key) ? object_label(pod, key) : "";
    if (sscanf(path, "metadata.annotations['%319[^']']", key) == 1)
        return object_annotation(pod, key) ? object_annotation(pod, key) : "";
    return NULL;
}

char *downward_field(const downward_t *self, const char *path)
{
    const char *one = named(self->pod, path);
    if (one)
        return xstrdup(one);
    if (strcmp(path, "metadata.labels") == 0 || strcmp(path, "metadata.annotations") == 0)
        return lines_of(object_at(self->pod, path));
    if (strcmp(path, "status.podIP") == 0 || strcmp(path, "status.podIPs") == 0)
        return xstrdup(self->pod_ip);
    if (strcmp(path, "status.hostIP") == 0 || strcmp(path, "status.hostIPs") == 0)
        return xstrdup(self->host_ip);
    return xstrdup(object_string(self->pod, path));
}

/* ---- resources --------------------------------------------------------------------------------
 */

static const json_t *find_container(const json_t *pod, const char *name)
{
    static const char *const lists[] = {"spec.containers", "spec.initContainers"};
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        size_t j;
        json_t *container;
        json_array_foreach(object_at(pod, lists[i]), j, container)
        {
            if (strcmp(object_string(container, "name"), name) == 0)
                return container;
        }
    }
    return NULL;
}

/* Without a limit of its own a container may have all that its node has. */
static const json_t *amount_of(
    const downward_t *self, const json_t *container, const char *resource)
{
    AUTO_FREE char *path = xasprintf("resources.%s", resource);
    const json_t *amount = object_at(container, path);
    if (amount || strncmp(resource, "limits.", 7) != 0)
        return amount;
    AUTO_FREE char *allocatable = xasprintf("status.allocatable.%s", resource + 7);
    return object_at(
        store_get(self->store, kind_find("Node"), NULL, object_string(self->pod, "spec.nodeName")),
        allocatable);
}

char *downward_resource(const downward_t *self, const json_t *reference, const json_t *container)
{
    const char *resource = object_string(reference, "resource");
    const char *name = object_string(reference, "containerName");
    if (*name)
        container = find_container(self->pod, name);
    const json_t *amount = amount_of(self, container, resource);
    const json_t *divisor = object_at(reference, "divisor");
    bool is_cpu = strstr(resource, ".cpu") != NULL;
    int64_t value = is_cpu ? quantity_millis(amount) : quantity_units(amount);
    int64_t unit = is_cpu ? quantity_millis(divisor) : quantity_units(divisor);
    unit = unit > 0 ? unit : is_cpu ? 1000 : 1;
    return xasprintf("%lld", (long long)((value + unit - 1) / unit));
}
