/* The status of a pod, as the real kubelet writes it. */
#include "services/cluster/env/kubelet/pod.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

#include <string.h>

/* ---- containers --------------------------------------------------------------------------------
 */

static json_t *waiting(const pod_container_t *self)
{
    json_t *waiting = json_pack("{s:s}", "reason", self->reason ? self->reason : "PodInitializing");
    if (self->message)
        json_object_set_new(waiting, "message", json_string(self->message));
    return json_pack("{s:o}", "waiting", waiting);
}

static json_t *state_of(const pod_container_t *self)
{
    switch (self->state) {
    case CONTAINER_RUNNING:
        return json_pack("{s:{s:o}}", "running", "startedAt", object_time(self->started_at));
    case CONTAINER_TERMINATED:
        return container_run_terminated(self);
    case CONTAINER_WAITING:
        return waiting(self);
    }
    return NULL;
}

/* An init container is ready once it has succeeded. */
static bool is_ready(const pod_container_t *self)
{
    if (self->is_init)
        return self->state == CONTAINER_TERMINATED && self->exit.code == 0;
    return self->state == CONTAINER_RUNNING && self->is_ready;
}

static json_t *container_status(const pod_container_t *self)
{
    const char *image = object_string(self->spec, "image");
    json_t *last = self->last_state ? json_incref(self->last_state) : json_object();
    json_t *status = json_pack("{s:s, s:o, s:o, s:b, s:I, s:s, s:s}", "name", self->name, "state",
        state_of(self), "lastState", last, "ready", is_ready(self), "restartCount",
        (json_int_t)self->restarts, "image", image, "imageID", "");
    if (self->has_run) {
        AUTO_FREE char *id = xasprintf("containerd://%s-%s-%lld", object_uid(self->pod->object),
            self->name, (long long)self->restarts);
        AUTO_FREE char *image_id = xasprintf("%s@local", image);
        json_object_set_new(status, "containerID", json_string(id));
        json_object_set_new(status, "imageID", json_string(image_id));
    }
    json_object_set_new(
        status, "started", json_boolean(self->state == CONTAINER_RUNNING && self->is_started));
    return status;
}

static json_t *container_statuses(const pod_container_t *containers, size_t count)
{
    json_t *statuses = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(statuses, container_status(&containers[i]));
    return statuses;
}

/* ---- pod ---------------------------------------------------------------------------------------
 */

static bool may_run_again(const pod_t *self, const pod_container_t *container)
{
    const char *policy = object_string(self->object, "spec.restartPolicy");
    bool has_failed = container->exit.code != 0;
    return strcmp(policy, "Never") != 0 && (has_failed || strcmp(policy, "OnFailure") != 0);
}

static const char *phase_of(const pod_t *self)
{
    size_t ended = 0;
    size_t failed = 0;
    size_t begun = 0;
    for (size_t i = 0; i < self->init_count; i++) {
        const pod_container_t *container = &self->init_containers[i];
        if (container->state == CONTAINER_TERMINATED && container->exit.code
            && !may_run_again(self, container))
            return "Failed";
    }
    for (size_t i = 0; i < self->container_count; i++) {
        const pod_container_t *container = &self->containers[i];
        bool is_over = container->state == CONTAINER_TERMINATED && !may_run_again(self, container);
        ended += is_over ? 1 : 0;
        failed += is_over && container->exit.code ? 1 : 0;
        begun += container->state != CONTAINER_WAITING || container->last_state ? 1 : 0;
    }
    if (ended == self->container_count)
        return failed ? "Failed" : "Succeeded";
    return begun == self->container_count ? "Running" : "Pending";
}

/* "containers with unready status: [a b]", or NULL when all are ready. */
static char *unready(const pod_container_t *containers, size_t count, const char *what)
{
    AUTO_FREE char *names = xstrdup("");
    for (size_t i = 0; i < count; i++) {
        if (is_ready(&containers[i]))
            continue;
        char *more = xasprintf("%s%s%s", names, *names ? " " : "", containers[i].name);
        free(names);
        names = more;
    }
    return *names ? xasprintf("containers with %s status: [%s]", what, names) : NULL;
}

/* Keeps the transition time of a condition that has not changed. */
static void add_condition(const pod_t *self, json_t *conditions, const char *type, bool is_true,
    const char *reason, const char *message)
{
    const json_t *before = object_condition(self->object, type);
    const char *status = is_true ? "True" : "False";
    bool is_same = before && strcmp(object_string(before, "status"), status) == 0;
    json_t *since =
        is_same ? json_incref(json_object_get(before, "lastTransitionTime")) : object_time_now();
    json_t *condition = json_pack("{s:s, s:s, s:n, s:o}", "type", type, "status", status,
        "lastProbeTime", "lastTransitionTime", since);
    if (reason)
        json_object_set_new(condition, "reason", json_string(reason));
    if (message)
        json_object_set_new(condition, "message", json_string(message));
    json_array_append_new(conditions, condition);
}

static json_t *conditions_of(const pod_t *self, const char *phase)
{
    AUTO_FREE char *init = unready(self->init_containers, self->init_count, "incomplete");
    AUTO_FREE char *main = unready(self->containers, self->container_count, "unready");
    bool is_completed = strcmp(phase, "Succeeded") == 0;
    const char *reason = is_completed ? "PodCompleted" : "ContainersNotReady";
    bool is_well = !main && !self->is_ending;
    json_t *conditions = json_array();
    add_condition(self, conditions, "PodReadyToStartContainers", self->sandbox != NULL, NULL, NULL);
    add_condition(self, conditions, "Initialized", !init,
        init           ? "ContainersNotInitialized"
        : is_completed ? "PodCompleted"
                       : NULL,
        init);
    add_condition(self, conditions, "Ready", is_well, main ? reason : NULL, main);
    add_condition(self, conditions, "ContainersReady", is_well, main ? reason : NULL, main);
    add_condition(self, conditions, "PodScheduled", true, NULL, NULL);
    return conditions;
}

json_t *pod_status(const pod_t *self)
{
    const char *phase = phase_of(self);
    json_t *status = json_pack("{s:s, s:o, s:s, s:[{s:s}], s:o, s:s}", "phase", phase, "conditions",
        conditions_of(self, phase), "hostIP", self->host_address, "hostIPs", "ip",
        self->host_address, "startTime", object_time(self->started_at), "qosClass",
        *object_string(self->object, "status.qosClass")
            ? object_string(self->object, "status.qosClass")
            : "BestEffort");
    if (self->sandbox) {
        json_object_set_new(status, "podIP", json_string(self->address_text));
        json_object_set_new(status, "podIPs", json_pack("[{s:s}]", "ip", self->address_text));
    }
    if (self->init_count)
        json_object_set_new(status, "initContainerStatuses",
            container_statuses(self->init_containers, self->init_count));
    json_object_set_new(
        status, "containerStatuses", container_statuses(self->containers, self->container_count));
    return status;
}
