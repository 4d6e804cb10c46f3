#include "services/cluster/env/admission/pod_resources.h"

#include "services/cluster/env/object.h"
#include "services/cluster/env/quantity.h"

#include <string.h>

static void add(json_t *total, const json_t *more)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)more, key, value)
        json_object_set_new(total, key, quantity_sum(json_object_get(total, key), value));
}

static void raise_to(json_t *total, const json_t *least)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)least, key, value)
    {
        const json_t *present = json_object_get(total, key);
        if (!present || quantity_compare(present, value) < 0)
            json_object_set_new(total, key, quantity_canonical(value));
    }
}

static const json_t *part_of(const json_t *container, const char *part)
{
    return json_object_get(json_object_get(container, "resources"), part);
}

json_t *pod_resources(const json_t *pod, const char *part)
{
    const json_t *spec = json_object_get(pod, "spec");
    json_t *total = json_object();
    json_auto_t *sidecars = json_object(); /* those started until now */
    json_auto_t *most = json_object();     /* while initializing */
    size_t i;
    json_t *container;
    json_array_foreach(json_object_get(spec, "containers"), i, container)
        add(total, part_of(container, part));
    json_array_foreach(json_object_get(spec, "initContainers"), i, container)
    {
        json_auto_t *now = json_copy(sidecars);
        add(now, part_of(container, part));
        if (strcmp(object_string(container, "restartPolicy"), "Always") == 0) {
            add(total, part_of(container, part));
            add(sidecars, part_of(container, part));
        }
        raise_to(most, now);
    }
    raise_to(total, most);
    if (strcmp(part, "requests") == 0)
        add(total, json_object_get(spec, "overhead"));
    return total;
}
