/* The end of a pod: asked to go, failed for good, or done; main containers first, then sidecars,
 * the last one first. */
#include "services/cluster/env/kubelet/pod.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

#include <string.h>

enum { LEAST_GRACE_MS = 2000, EVICTION_GRACE_MS = 1000 };

static bool is_any_running(const pod_container_t *containers, size_t count, bool is_sidecar)
{
    for (size_t i = 0; i < count; i++) {
        if (containers[i].process && containers[i].is_sidecar == is_sidecar)
            return true;
    }
    return false;
}

static bool has_running(const pod_t *self)
{
    return is_any_running(self->containers, self->container_count, false)
           || is_any_running(self->init_containers, self->init_count, false);
}

static void stop(pod_container_t *container, int64_t grace_ms)
{
    if (container->process && !container->is_stopping)
        pod_event(container->pod, container, "Normal", "Killing", "Stopping container %s",
            container->name);
    container_run_stop(container, grace_ms);
}

static void stop_all(pod_t *self, int64_t grace_ms)
{
    for (size_t i = 0; i < self->init_count; i++) {
        if (!self->init_containers[i].is_sidecar)
            stop(&self->init_containers[i], grace_ms);
    }
    for (size_t i = 0; i < self->container_count; i++)
        stop(&self->containers[i], grace_ms);
    for (size_t i = 0; i < self->ephemeral_count; i++)
        stop(self->ephemeral[i], grace_ms);
}

static int64_t own_grace_ms(const pod_t *self)
{
    return 1000 * object_integer(self->object, "spec.terminationGracePeriodSeconds", 30);
}

/* What the main containers have left of the time; all of it when they ended by themselves. */
static int64_t rest_ms(const pod_t *self)
{
    bool is_asked = self->is_ending || self->failure;
    int64_t rest = is_asked ? self->end_by - ev_now(self->context->ev) : own_grace_ms(self);
    return rest > LEAST_GRACE_MS ? rest : LEAST_GRACE_MS;
}

/* True if one was still there. */
static bool stop_ephemeral(pod_t *self)
{
    bool is_any = false;
    for (size_t i = 0; i < self->ephemeral_count; i++) {
        if (!self->ephemeral[i]->process)
            continue;
        container_run_stop(self->ephemeral[i], rest_ms(self));
        is_any = is_any || self->ephemeral[i]->process;
    }
    return is_any;
}

/* True if one was still there. */
static bool stop_last_sidecar(pod_t *self)
{
    for (size_t i = self->init_count; i > 0; i--) {
        pod_container_t *container = &self->init_containers[i - 1];
        if (container->is_sidecar)
            container_run_stop(container, container->process ? rest_ms(self) : 0);
        if (container->is_sidecar && container->process)
            return true;
    }
    return false;
}

/* The kubelet's watch sees the object go and destroys the pod. */
static void remove_object(pod_t *self)
{
    (void)store_remove(self->context->store, kind_find("Pod"), object_namespace(self->object),
        object_name(self->object), NULL); /* gone already: removed by force */
}

void pod_end_step(pod_t *self)
{
    if (has_running(self) || stop_ephemeral(self) || stop_last_sidecar(self))
        return;
    if (self->is_ending)
        remove_object(self);
}

static void begin_end(pod_t *self, int64_t grace_ms)
{
    self->end_by = ev_now(self->context->ev) + grace_ms;
    ev_cancel(self->context->ev, self->setup_timer);
    ev_cancel(self->context->ev, self->deadline_timer);
    ev_cancel(self->context->ev, self->limits_timer);
    self->setup_timer = self->deadline_timer = self->limits_timer = 0;
    stop_all(self, grace_ms);
}

void pod_end(pod_t *self)
{
    const json_t *asked = object_at(self->object, "metadata.deletionGracePeriodSeconds");
    int64_t grace_ms = asked ? 1000 * json_integer_value(asked) : own_grace_ms(self);
    if (self->is_ending && ev_now(self->context->ev) + grace_ms >= self->end_by)
        return; /* not shortened */
    self->is_ending = true;
    begin_end(self, grace_ms);
    pod_end_step(self);
}

void pod_fail(pod_t *self, const char *reason, const char *message)
{
    if (self->is_ending || self->failure)
        return;
    self->failure = reason;
    self->failure_message = xstrdup(message);
    pod_event(self, NULL, "Warning", reason, "%s", message);
    begin_end(self, EVICTION_GRACE_MS);
    pod_on_container_changed(self);
    pod_end_step(self);
}
