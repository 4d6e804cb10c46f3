/* Defaults of what carries a pod template. */
#include "services/cluster/env/kinds/workload.h"

#include "services/cluster/env/kinds/defaults.h"

json_t *workload_fill_template(json_t *object)
{
    json_t *spec = default_object(object, "spec");
    json_t *template = spec ? default_object(spec, "template") : NULL;
    if (!template)
        return NULL;
    default_object(template, "metadata");
    default_pod_spec(default_object(template, "spec"));
    default_object(object, "status");
    return spec;
}

void workload_fill(json_t *object)
{
    json_t *spec = workload_fill_template(object);
    if (spec)
        default_integer(spec, "replicas", 1);
}
