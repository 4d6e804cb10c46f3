/* The STATUS, READY and RESTARTS of a pod: printPod() of Kubernetes 1.30, step by step. */
#include "services/cluster/env/kinds/pod_row.h"

#include "services/cluster/env/object.h"

#include "services/cluster/env/kinds/cells.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { REASON_SIZE = 160 };

typedef struct summary {
    const json_t *object;
    char reason[REASON_SIZE];
    size_t ready;
    size_t total;
    int64_t restarts;
    time_t last_restart; /* -1: none */
    int64_t sidecar_restarts;
    time_t last_sidecar_restart;
} summary_t;

static bool has_true_condition(const json_t *object, const char *type)
{
    return !strcmp(object_string(object_condition(object, type), "status"), "True");
}

static bool is_sidecar(const json_t *object, const char *name)
{
    size_t i;
    json_t *container;
    json_array_foreach(object_at(object, "spec.initContainers"), i, container)
    {
        if (!strcmp(object_string(container, "name"), name))
            return !strcmp(object_string(container, "restartPolicy"), "Always");
    }
    return false;
}

static size_t count_sidecars(const json_t *object)
{
    size_t count = 0;
    size_t i;
    json_t *container;
    json_array_foreach(object_at(object, "spec.initContainers"), i, container) count +=
        !strcmp(object_string(container, "restartPolicy"), "Always");
    return count;
}

static void later_of(time_t *at, const json_t *status)
{
    time_t finished = object_time_parse(object_string(status, "lastState.terminated.finishedAt"));
    if (finished > *at)
        *at = finished;
}

/* "Error", "Signal:9" or "ExitCode:1" of a terminated state. */
static void describe_end(char text[REASON_SIZE], const char *prefix, const json_t *terminated)
{
    const char *reason = object_string(terminated, "reason");
    int64_t signal = object_integer(terminated, "signal", 0);
    if (*reason)
        snprintf(text, REASON_SIZE, "%s%s", prefix, reason);
    else if (signal)
        snprintf(text, REASON_SIZE, "%sSignal:%lld", prefix, (long long)signal);
    else
        snprintf(text, REASON_SIZE, "%sExitCode:%lld", prefix,
            (long long)object_integer(terminated, "exitCode", 0));
}

/* Why the pod is still initializing because of this init container; false if it is not. */
static bool is_initializing(summary_t *self, const json_t *status, size_t index)
{
    const json_t *terminated = object_at(status, "state.terminated");
    const char *waiting = object_string(status, "state.waiting.reason");
    bool is_side = is_sidecar(self->object, object_string(status, "name"));
    self->restarts += object_integer(status, "restartCount", 0);
    later_of(&self->last_restart, status);
    if (is_side) {
        self->sidecar_restarts += object_integer(status, "restartCount", 0);
        later_of(&self->last_sidecar_restart, status);
    }
    if (terminated && !object_integer(terminated, "exitCode", 0))
        return false;
    if (is_side && object_is_true(status, "started")) {
        self->ready += object_is_true(status, "ready");
        return false;
    }
    if (terminated)
        describe_end(self->reason, "Init:", terminated);
    else if (*waiting && strcmp(waiting, "PodInitializing") != 0)
        snprintf(self->reason, REASON_SIZE, "Init:%s", waiting);
    else
        snprintf(self->reason, REASON_SIZE, "Init:%zu/%zu", index,
            json_array_size(object_at(self->object, "spec.initContainers")));
    return true;
}

static bool look_at_init_containers(summary_t *self)
{
    size_t i;
    json_t *status;
    json_array_foreach(object_at(self->object, "status.initContainerStatuses"), i, status)
    {
        if (is_initializing(self, status, i))
            return true;
    }
    return false;
}

/* Returns whether the container runs and is ready. */
static bool look_at_container(summary_t *self, const json_t *status)
{
    const json_t *terminated = object_at(status, "state.terminated");
    const char *waiting = object_string(status, "state.waiting.reason");
    self->restarts += object_integer(status, "restartCount", 0);
    later_of(&self->last_restart, status);
    if (*waiting)
        snprintf(self->reason, REASON_SIZE, "%s", waiting);
    else if (terminated)
        describe_end(self->reason, "", terminated);
    else if (object_is_true(status, "ready") && object_at(status, "state.running")) {
        self->ready++;
        return true;
    }
    return false;
}

/* From the last to the first: the first one's reason wins. */
static void look_at_containers(summary_t *self)
{
    const json_t *statuses = object_at(self->object, "status.containerStatuses");
    bool has_running = false;
    self->restarts = self->sidecar_restarts;
    self->last_restart = self->last_sidecar_restart;
    for (size_t i = json_array_size(statuses); i > 0; i--)
        has_running = look_at_container(self, json_array_get(statuses, i - 1)) || has_running;
    if (has_running && !strcmp(self->reason, "Completed"))
        snprintf(self->reason, REASON_SIZE, "%s",
            has_true_condition(self->object, "Ready") ? "Running" : "NotReady");
}

static void look_at_deletion(summary_t *self)
{
    const char *phase = object_string(self->object, "status.phase");
    if (!object_is_deleted(self->object))
        return;
    if (!strcmp(object_string(self->object, "status.reason"), "NodeLost"))
        snprintf(self->reason, REASON_SIZE, "Unknown");
    else if (strcmp(phase, "Succeeded") != 0 && strcmp(phase, "Failed") != 0)
        snprintf(self->reason, REASON_SIZE, "Terminating");
}

static void summarize(summary_t *self, const json_t *object)
{
    const char *reason = object_string(object, "status.reason");
    *self = (summary_t){.object = object,
        .total = json_array_size(object_at(object, "spec.containers")) + count_sidecars(object),
        .last_restart = -1,
        .last_sidecar_restart = -1};
    snprintf(
        self->reason, REASON_SIZE, "%s", *reason ? reason : object_string(object, "status.phase"));
    if (!strcmp(
            object_string(object_condition(object, "PodScheduled"), "reason"), "SchedulingGated"))
        snprintf(self->reason, REASON_SIZE, "SchedulingGated");
    if (!look_at_init_containers(self) || has_true_condition(object, "Initialized"))
        look_at_containers(self);
    look_at_deletion(self);
}

static void add_restarts(json_t *cells, const summary_t *self, time_t now)
{
    char ago[DURATION_SIZE];
    if (!self->restarts || self->last_restart < 0) {
        cells_format(cells, "%lld", (long long)self->restarts);
        return;
    }
    human_duration(ago, now - self->last_restart);
    cells_format(cells, "%lld (%s ago)", (long long)self->restarts, ago);
}

static void add_readiness_gates(json_t *cells, const json_t *object)
{
    const json_t *gates = object_at(object, "spec.readinessGates");
    size_t met = 0;
    size_t i;
    json_t *gate;
    json_array_foreach(gates, i, gate) met +=
        has_true_condition(object, object_string(gate, "conditionType"));
    if (json_array_size(gates))
        cells_format(cells, "%zu/%zu", met, json_array_size(gates));
    else
        cells_string(cells, "<none>");
}

void pod_row(const json_t *object, time_t now, json_t *cells)
{
    summary_t self;
    summarize(&self, object);
    const char *ip = object_string(json_array_get(object_at(object, "status.podIPs"), 0), "ip");
    cells_string(cells, object_name(object));
    cells_format(cells, "%zu/%zu", self.ready, self.total);
    cells_string(cells, self.reason);
    add_restarts(cells, &self, now);
    cells_age(cells, object, now);
    cells_string(cells, *ip ? ip : "<none>");
    cells_at(cells, object, "spec.nodeName", "<none>");
    cells_at(cells, object, "status.nominatedNodeName", "<none>");
    add_readiness_gates(cells, object);
}
