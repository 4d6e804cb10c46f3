/* Containers that are added to a running pod. They run once, and the pod does not care how they
 * end. */
#include "services/cluster/env/kubelet/pod.h"

#include "base/mem.h"
#include "services/cluster/env/object.h"

#include <string.h>

static void add(pod_t *self, json_t *spec)
{
    pod_container_t *container = xcalloc(1, sizeof(*container));
    container_run_init(container, self, spec, false);
    container->is_ephemeral = true;
    self->ephemeral = mem_check(
        reallocarray(self->ephemeral, self->ephemeral_count + 1, sizeof(*self->ephemeral)));
    self->ephemeral[self->ephemeral_count++] = container;
}

void pod_start_ephemeral(pod_t *self)
{
    const json_t *specs = object_at(self->object, "spec.ephemeralContainers");
    for (size_t i = self->ephemeral_count; i < json_array_size(specs); i++)
        add(self, json_array_get(specs, i));
    for (size_t i = 0; i < self->ephemeral_count; i++) {
        pod_container_t *container = self->ephemeral[i];
        bool is_new = container->state == CONTAINER_WAITING && !container->retry_timer;
        if (self->sandbox && !self->is_ending && !self->failure && is_new)
            container_start_run(container);
    }
}

pod_container_t *pod_ephemeral(const pod_t *self, const char *name)
{
    for (size_t i = 0; i < self->ephemeral_count; i++) {
        if (strcmp(self->ephemeral[i]->name, name) == 0)
            return self->ephemeral[i];
    }
    return NULL;
}
