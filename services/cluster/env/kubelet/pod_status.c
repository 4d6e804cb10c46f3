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

/* An init container is ready once it has succeeded, unless it stays. */
static bool is_ready(const pod_container_t *self)
{
    if (self->is_init && !self->is_sidecar)
        return self->state == CONTAINER_TERMINATED && self->exit.code == 0;
    return self->state == CONTAINER_RUNNING && self->is_ready && !self->is_ephemeral;
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
    if (!self->is_ephemeral) /* nobody asks it */
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

static json_t *ephemeral_statuses(const pod_t *self)
{
    json_t *statuses = json_array();
    for (size_t i = 0; i < self->ephemeral_count; i++)
        json_array_append_new(statuses, container_status(self->ephemeral[i]));
    return statuses;
}

/* ---- pod ---------------------------------------------------------------------------------------
 */

static const char *phase_of(const pod_t *self)
{
    size_t ended = 0;
    size_t failed = 0;
    size_t begun = 0;
    if (self->failure)
        return "Failed";
    for (size_t i = 0; i < self->init_count; i++) {
        const pod_container_t *container = &self->init_containers[i];
        if (container->state == CONTAINER_TERMINATED && container->exit.code
            && !container_run_may_restart(container) && !self->is_ending)
            return "Failed";
    }
    for (size_t i = 0; i < self->container_count; i++) {
        const pod_container_t *container = &self->containers[i];
        bool is_over =
            container->state == CONTAINER_TERMINATED && !container_run_may_restart(container);
        ended += is_over ? 1 : 0;
        failed += is_over && container->exit.code ? 1 : 0;
        begun += container->state != CONTAINER_WAITING || container->last_state ? 1 : 0;
    }
    if (ended == self->container_count)
        return failed ? "Failed" : "Succeeded";
    return begun == self->container_count ? "Running" : "Pending";
}

typedef bool(check_fn)(const pod_container_t *container);

static bool is_initialized(const pod_container_t *container)
{
    return container->is_sidecar ? container->is_started : is_ready(container);
}

/* Ordinary init containers are not asked whether they are ready. */
static bool is_ready_or_init(const pod_container_t *container)
{
    return (container->is_init && !container->is_sidecar) || is_ready(container);
}

static void add_names(
    char **names_p, const pod_container_t *containers, size_t count, check_fn *is_well)
{
    for (size_t i = 0; i < count; i++) {
        if (is_well(&containers[i]))
            continue;
        char *more = xasprintf("%s%s%s", *names_p, **names_p ? " " : "", containers[i].name);
        free(*names_p);
        *names_p = more;
    }
}

static char *sentence_of(const char *what, const char *names)
{
    return *names ? xasprintf("containers with %s status: [%s]", what, names) : NULL;
}

/* "containers with incomplete status: [a b]", or NULL when all init containers are done. */
static char *incomplete(const pod_t *self)
{
    AUTO_FREE char *names = xstrdup("");
    add_names(&names, self->init_containers, self->init_count, is_initialized);
    return sentence_of("incomplete", names);
}

static char *unready(const pod_t *self)
{
    AUTO_FREE char *names = xstrdup("");
    add_names(&names, self->init_containers, self->init_count, is_ready_or_init);
    add_names(&names, self->containers, self->container_count, is_ready);
    return sentence_of("unready", names);
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
    AUTO_FREE char *init = incomplete(self);
    AUTO_FREE char *main = unready(self);
    bool is_completed = strcmp(phase, "Succeeded") == 0;
    const char *reason = is_completed                   ? "PodCompleted"
                         : strcmp(phase, "Failed") == 0 ? "PodFailed"
                                                        : "ContainersNotReady";
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
    if (self->ephemeral_count)
        json_object_set_new(status, "ephemeralContainerStatuses", ephemeral_statuses(self));
    if (self->failure) {
        json_object_set_new(status, "reason", json_string(self->failure));
        json_object_set_new(status, "message", json_string(self->failure_message));
    }
    return status;
}
