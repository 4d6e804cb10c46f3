/* One container of a pod, run after run: start, output, probes, exit, back-off. */
#include "services/cluster/env/kubelet/pod.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
    OUTPUT_TURN = 65536,    /* bytes read at once: a flood must not starve the rest */
    BACKOFF_FORGOTTEN = 2,  /* a run of so many longest back-offs starts anew without */
    START_ERROR_CODE = 128, /* containerd's, of a container that could not be started */
};

static const char *const normal = "Normal";
static const char *const warning = "Warning";

static void set_text(char **text, const char *value)
{
    char *copy = value ? xstrdup(value) : NULL;
    free(*text);
    *text = copy;
}

void container_run_wait(pod_container_t *self, const char *reason, const char *message)
{
    self->state = CONTAINER_WAITING;
    set_text(&self->reason, reason);
    set_text(&self->message, message);
    pod_on_container_changed(self->pod);
}

/* ---- back-off ----------------------------------------------------------------------------------
 */

static void on_retry(void *arg)
{
    pod_container_t *self = arg;
    self->retry_timer = 0;
    container_start_run(self);
}

/* Doubles it, up to the limit. */
static void back_off(pod_container_t *self)
{
    const pod_context_t *context = self->pod->context;
    int64_t next = self->backoff_ms ? 2 * self->backoff_ms : context->backoff_ms;
    self->backoff_ms = next < context->backoff_max_ms ? next : context->backoff_max_ms;
}

void container_run_retry(pod_container_t *self)
{
    back_off(self);
    container_run_retry_after(self, self->backoff_ms);
}

void container_run_retry_after(pod_container_t *self, int64_t delay_ms)
{
    ev_cancel(self->pod->context->ev, self->retry_timer);
    self->retry_timer = ev_after(self->pod->context->ev, delay_ms, on_retry, self);
}

/* ---- probes ------------------------------------------------------------------------------------
 */

static void become_started(pod_container_t *self);

/* A probe's own grace period counts before the pod's. */
static void restart_unhealthy(pod_container_t *self, const char *what)
{
    AUTO_FREE char *own = xasprintf("%sProbe.terminationGracePeriodSeconds", what);
    int64_t grace = object_integer(self->spec, own,
        object_integer(self->pod->object, "spec.terminationGracePeriodSeconds", 30));
    pod_event(self->pod, self, normal, "Killing", "Container %s failed %s probe, will be restarted",
        self->name, what);
    container_run_stop(self, 1000 * grace);
}

static void on_probe(void *arg, probe_kind_t kind, bool is_well, bool is_change, const char *reason)
{
    static const char *const names[] = {"Startup", "Readiness", "Liveness"};
    static const char *const lower_names[] = {"startup", "readiness", "liveness"};
    pod_container_t *self = arg;
    if (!is_well)
        pod_event(
            self->pod, self, warning, "Unhealthy", "%s probe failed: %s", names[kind], reason);
    if (!is_change)
        return;
    if (self->is_stopping && kind != PROBE_READINESS)
        return;
    if (!is_well && kind != PROBE_READINESS) {
        restart_unhealthy(self, lower_names[kind]);
        return;
    }
    if (kind == PROBE_STARTUP) {
        probe_destroy(&self->startup); /* it calls this last */
        become_started(self);
    } else if (kind == PROBE_READINESS) {
        self->is_ready = is_well;
    }
    pod_on_container_changed(self->pod);
}

probe_subject_t container_run_subject(const pod_container_t *self, const json_t *spec)
{
    return (probe_subject_t){
        .ev = self->pod->context->ev,
        .http = self->pod->context->http,
        .process = self->process,
        .spec = spec,
        .ports = object_at(self->spec, "ports"),
        .address = self->pod->address_text,
        .envp = self->launch.envp,
    };
}

static void begin_probe(
    pod_container_t *self, probe_t **probe_p, probe_kind_t kind, const char *field)
{
    const json_t *spec = object_at(self->spec, field);
    if (!spec || *probe_p)
        return;
    probe_subject_t subject = container_run_subject(self, spec);
    *probe_p = probe_new(kind, &subject, on_probe, self);
}

/* Readiness and liveness wait for the startup probe. */
static void become_started(pod_container_t *self)
{
    self->is_started = true;
    self->is_ready =
        !object_at(self->spec, "readinessProbe") && (!self->is_init || self->is_sidecar);
    begin_probe(self, &self->readiness, PROBE_READINESS, "readinessProbe");
    begin_probe(self, &self->liveness, PROBE_LIVENESS, "livenessProbe");
    pod_on_container_started(self->pod, self);
}

static void end_probes(pod_container_t *self)
{
    probe_destroy(&self->startup);
    probe_destroy(&self->readiness);
    probe_destroy(&self->liveness);
    self->is_started = self->is_ready = false;
}

/* ---- output ------------------------------------------------------------------------------------
 */

static void close_output(pod_container_t *self)
{
    if (self->output_fd < 0)
        return;
    ev_fd_end(self->pod->context->ev, self->output_fd);
    close(self->output_fd);
    self->output_fd = -1;
}

static void take_output(pod_container_t *self, const char *bytes, size_t size)
{
    container_log_append(self->log, bytes, size);
    attachments_write(&self->attachments, bytes, size);
}

static void on_output(void *arg, int fd, uint32_t events)
{
    (void)events;
    pod_container_t *self = arg;
    char bytes[OUTPUT_TURN];
    ssize_t size = read(fd, bytes, sizeof(bytes));
    if (size > 0)
        take_output(self, bytes, (size_t)size);
    else if (size == 0 || errno != EAGAIN)
        close_output(self);
}

/* What it wrote before its end; its whole pid namespace is gone, so nobody writes any more. */
static void drain_output(pod_container_t *self)
{
    char bytes[OUTPUT_TURN];
    for (ssize_t size;
         self->output_fd >= 0 && (size = read(self->output_fd, bytes, sizeof(bytes))) > 0;)
        take_output(self, bytes, (size_t)size);
    attachments_end(&self->attachments);
    close_output(self);
    container_log_close(self->log);
}

/* ---- running -----------------------------------------------------------------------------------
 */

json_t *container_run_terminated(const pod_container_t *self)
{
    AUTO_FREE char *id = xasprintf("containerd://%s-%s-%lld", object_uid(self->pod->object),
        self->name, (long long)self->restarts);
    json_t *terminated = json_pack("{s:i, s:s, s:o, s:o, s:s}", "exitCode", self->exit.code,
        "reason", self->reason ? self->reason : "Error", "startedAt", object_time(self->started_at),
        "finishedAt", object_time(self->finished_at), "containerID", id);
    if (self->message)
        json_object_set_new(terminated, "message", json_string(self->message));
    return json_pack("{s:o}", "terminated", terminated);
}

void container_run_exited(void *arg, const container_exit_t *exit)
{
    pod_container_t *self = arg;
    ev_cancel(self->pod->context->ev, self->kill_timer);
    self->kill_timer = 0;
    self->is_stopping = false;
    hook_destroy(&self->hook);
    end_probes(self);
    drain_output(self);
    container_destroy(&self->process);
    self->state = CONTAINER_TERMINATED;
    self->exit = *exit;
    self->finished_at = time(NULL);
    set_text(&self->reason, exit->is_oom ? "OOMKilled" : exit->code == 0 ? "Completed" : "Error");
    free(self->message);
    self->message = container_end_message(self, exit);
    pod_on_container_exited(self->pod, self);
}

bool container_run_may_restart(const pod_container_t *self)
{
    const char *policy = object_string(self->pod->object, "spec.restartPolicy");
    bool has_failed = self->exit.code != 0;
    if (self->pod->failure || self->pod->is_ending || self->is_ephemeral)
        return false;
    if (self->is_sidecar)
        return true;
    if (strcmp(policy, "Never") == 0)
        return false;
    return has_failed || (!self->is_init && strcmp(policy, "OnFailure") != 0);
}

/* After an exit: again at once the first time, later after a growing pause. */
bool container_run_restart(pod_container_t *self)
{
    if (!container_run_may_restart(self))
        return false;
    int64_t ran_ms = self->started_at ? 1000 * (int64_t)(self->finished_at - self->started_at) : 0;
    if (ran_ms >= BACKOFF_FORGOTTEN * self->pod->context->backoff_max_ms)
        self->backoff_ms = 0;
    json_decref(self->last_state);
    self->last_state = container_run_terminated(self);
    int64_t delay_ms = self->backoff_ms;
    back_off(self);
    if (delay_ms) {
        AUTO_FREE char *message =
            xasprintf("back-off %llds restarting failed container=%s pod=%s_%s(%s)",
                (long long)(delay_ms / 1000), self->name, object_name(self->pod->object),
                object_namespace(self->pod->object), object_uid(self->pod->object));
        pod_event(self->pod, self, warning, "BackOff",
            "Back-off restarting failed container %s in pod %s_%s(%s)", self->name,
            object_name(self->pod->object), object_namespace(self->pod->object),
            object_uid(self->pod->object));
        container_run_wait(self, "CrashLoopBackOff", message);
    }
    container_run_retry_after(self, delay_ms);
    return true;
}

/* A new run, whatever becomes of it. */
static void begin_run(pod_container_t *self)
{
    container_log_destroy(&self->previous_log);
    self->previous_log = self->log;
    self->log = container_log_new();
    self->restarts += self->has_run ? 1 : 0;
    self->has_run = true;
    set_text(&self->reason, NULL);
    set_text(&self->message, NULL);
    pod_event(self->pod, self, normal, "Created", "Created container %s", self->name);
}

static void enter_running(pod_container_t *self)
{
    self->state = CONTAINER_RUNNING;
    if (object_at(self->spec, "startupProbe"))
        begin_probe(self, &self->startup, PROBE_STARTUP, "startupProbe");
    else
        become_started(self);
    pod_on_container_changed(self->pod);
}

static void on_post_start(void *arg, bool is_well)
{
    pod_container_t *self = arg;
    hook_destroy(&self->hook);
    if (is_well)
        enter_running(self);
    else
        container_end_hook_failed(self);
}

/* Until its postStart hook is done a container counts as being created. */
void container_run_started(pod_container_t *self, container_t *process, const streams_t *streams)
{
    const json_t *post_start = object_at(self->spec, "lifecycle.postStart");
    begin_run(self);
    self->process = process;
    self->output_fd = streams->out;
    attachments_begin(&self->attachments, self->pod->context->ev, streams->in,
        object_is_true(self->spec, "tty") ? streams->out : -1,
        object_is_true(self->spec, "stdinOnce"));
    self->started_at = time(NULL);
    ev_fd(self->pod->context->ev, self->output_fd, EPOLLIN, on_output, self);
    pod_event(self->pod, self, normal, "Started", "Started container %s", self->name);
    if (!post_start) {
        enter_running(self);
        return;
    }
    probe_subject_t subject = container_run_subject(self, post_start);
    self->state = CONTAINER_WAITING;
    set_text(&self->reason, self->pod->init_count ? "PodInitializing" : "ContainerCreating");
    self->hook = hook_new(&subject, on_post_start, self);
    pod_on_container_changed(self->pod);
}

void container_run_failed_to_start(pod_container_t *self, const char *message)
{
    begin_run(self);
    container_log_close(self->log);
    pod_event(self->pod, self, warning, "Failed", "Error: %s", message);
    self->state = CONTAINER_TERMINATED;
    self->exit = (container_exit_t){.code = START_ERROR_CODE};
    self->started_at = 0; /* as containerd tells it */
    self->finished_at = time(NULL);
    set_text(&self->reason, "StartError");
    set_text(&self->message, message);
    pod_on_container_exited(self->pod, self);
}

/* ---- life cycle --------------------------------------------------------------------------------
 */

void container_run_init(pod_container_t *self, pod_t *pod, json_t *spec, bool is_init)
{
    *self = (pod_container_t){
        .pod = pod,
        .spec = json_incref(spec),
        .name = object_string(spec, "name"),
        .is_init = is_init,
        .is_sidecar = is_init && strcmp(object_string(spec, "restartPolicy"), "Always") == 0,
        .output_fd = -1,
        .reason = xstrdup(pod->init_count ? "PodInitializing" : "ContainerCreating"),
    };
}

void container_run_done(pod_container_t *self)
{
    ev_cancel(self->pod->context->ev, self->retry_timer);
    ev_cancel(self->pod->context->ev, self->kill_timer);
    hook_destroy(&self->hook);
    end_probes(self);
    container_destroy(&self->process);
    attachments_end(&self->attachments);
    close_output(self);
    container_log_destroy(&self->log);
    container_log_destroy(&self->previous_log);
    json_decref(self->last_state);
    json_decref(self->spec);
    launch_done(&self->launch);
    free(self->reason);
    free(self->message);
}
