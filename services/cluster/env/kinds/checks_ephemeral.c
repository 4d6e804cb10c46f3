/* What may be said of ephemeral containers, in the words of core's validation. */
#include "services/cluster/env/kinds/checks.h"

#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

#include <string.h>

static const char field[] = "spec.ephemeralContainers";

static const json_t *find(const json_t *containers, const char *name)
{
    size_t i;
    json_t *container;
    json_array_foreach(containers, i, container)
    {
        if (!strcmp(object_string(container, "name"), name))
            return container;
    }
    return NULL;
}

static void check_kept(causes_t *causes, const json_t *now, const json_t *before)
{
    size_t i;
    json_t *container;
    json_array_foreach(before, i, container)
    {
        const char *name = object_string(container, "name");
        const json_t *kept = find(now, name);
        if (kept && json_equal(container, kept))
            continue;
        AUTO_FREE char *detail = xasprintf("existing ephemeral containers \"%s\" may not be %s",
            name, kept ? "changed" : "removed");
        causes_forbidden(causes, field, detail);
    }
}

/* They come without promises: nobody may wait for them, reach them or count on their share. */
static void check_plain(causes_t *causes, const char *at, const json_t *container)
{
    static const char *const refused[] = {
        "lifecycle", "livenessProbe", "ports", "readinessProbe", "resources", "startupProbe"};
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        const json_t *value = json_object_get(container, refused[i]);
        AUTO_FREE char *where = xasprintf("%s.%s", at, refused[i]);
        if (json_object_size(value) || json_array_size(value))
            causes_forbidden(causes, where, "cannot be set for an Ephemeral Container");
    }
}

static void check_place(
    causes_t *causes, const char *at, const json_t *container, const json_t *spec)
{
    const char *target = object_string(container, "targetContainerName");
    const char *name = object_string(container, "name");
    AUTO_FREE char *target_field = xasprintf("%s.targetContainerName", at);
    AUTO_FREE char *name_field = xasprintf("%s.name", at);
    const json_t *containers = json_object_get(spec, "containers");
    const json_t *init = json_object_get(spec, "initContainers");
    if (*name && (find(containers, name) || find(init, name)))
        causes_duplicate(causes, name_field, json_object_get(container, "name"));
    if (*target && !find(containers, target) && !find(init, target))
        causes_not_found(causes, target_field, json_object_get(container, "targetContainerName"));
}

void check_ephemeral(causes_t *causes, const json_t *pod, const json_t *old)
{
    const json_t *spec = json_object_get(pod, "spec");
    const json_t *containers = json_object_get(spec, "ephemeralContainers");
    if (!old && json_array_size(containers)) {
        causes_forbidden(causes, field, "cannot be set on create");
        return;
    }
    check_containers(causes, field, containers, json_object_get(spec, "volumes"));
    size_t i;
    json_t *container;
    json_array_foreach(containers, i, container)
    {
        AUTO_FREE char *at = xasprintf("%s[%zu]", field, i);
        check_plain(causes, at, container);
        check_place(causes, at, container, spec);
    }
    check_kept(causes, containers, object_at(old, "spec.ephemeralContainers"));
}
