/* One container of a pod, run after run: start, output, probes, exit, back-off. */
#include "services/cluster/env/kubelet/pod.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/kubelet/launch.h"
#include "services/cluster/env/kubelet/volumes.h"
#include "services/cluster/env/object.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum {
    OUTPUT_TURN = 65536,       /* bytes read at once: a flood must not starve the rest */
    BACKOFF_FORGOTTEN_S = 600, /* a run as long as this starts anew with no back-off */
    CONFIG_RETRY_MS = 2000,    /* after CreateContainerConfigError */
};

static const char *const normal = "Normal";
static const char *const warning = "Warning";

static void set_text(char **text, const char *value)
{
    char *copy = value ? xstrdup(value) : NULL;
    free(*text);
    *text = copy;
}

static void wait_because(pod_container_t *self, const char *reason, const char *message)
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
    container_run_start(self);
}

static int64_t next_backoff(const pod_container_t *self)
{
    const pod_context_t *context = self->pod->context;
    int64_t next = self->backoff_ms ? 2 * self->backoff_ms : context->backoff_ms;
    return next < context->backoff_max_ms ? next : context->backoff_max_ms;
}

static void retry_after(pod_container_t *self, int64_t delay_ms)
{
    ev_cancel(self->pod->context->ev, self->retry_timer);
    self->retry_timer = ev_after(self->pod->context->ev, delay_ms, on_retry, self);
}

/* ---- stopping
 * ------------------------------------------------------------------------------------ */

static void on_grace_over(void *arg)
{
    pod_container_t *self = arg;
    self->kill_timer = 0;
    if (self->process)
        container_kill(self->process, SIGKILL);
}

void container_run_stop(pod_container_t *self, int64_t grace_ms)
{
    ev_t *ev = self->pod->context->ev;
    ev_cancel(ev, self->retry_timer);
    ev_cancel(ev, self->kill_timer);
    self->retry_timer = self->kill_timer = 0;
    if (!self->process)
        return;
    container_kill(self->process, grace_ms > 0 ? SIGTERM : SIGKILL);
    if (grace_ms > 0)
        self->kill_timer = ev_after(ev, grace_ms, on_grace_over, self);
}

/* ---- probes ------------------------------------------------------------------------------------
 */

static void begin_probes(pod_container_t *self);

static void restart_unhealthy(pod_container_t *self, const char *what)
{
    pod_event(self->pod, self, normal, "Killing", "Container %s failed %s probe, will be restarted",
        self->name, what);
    container_run_stop(
        self, 1000 * object_integer(self->pod->object, "spec.terminationGracePeriodSeconds", 30));
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
    if (!is_well && kind != PROBE_READINESS) {
        restart_unhealthy(self, lower_names[kind]);
        return;
    }
    if (kind == PROBE_STARTUP) {
        self->is_started = true;
        probe_destroy(&self->startup); /* it calls this last */
        begin_probes(self);
    } else if (kind == PROBE_READINESS) {
        self->is_ready = is_well;
    }
    pod_on_container_changed(self->pod);
}

static void begin_probe(pod_container_t *self, probe_t **probe_p, probe_kind_t kind,
    const char *field, char *const *envp)
{
    const json_t *spec = object_at(self->spec, field);
    if (!spec || *probe_p)
        return;
    probe_subject_t subject = {
        .ev = self->pod->context->ev,
        .http = self->pod->context->http,
        .process = self->process,
        .spec = spec,
        .ports = object_at(self->spec, "ports"),
        .address = self->pod->address_text,
        .envp = envp,
    };
    *probe_p = probe_new(kind, &subject, on_probe, self);
}

/* Readiness and liveness wait for the startup probe; commands see a plain environment. */
static void begin_probes(pod_container_t *self)
{
    static char *const envp[] = {
        (char *)"PATH=/app/bin:/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin", NULL};
    if (!self->is_started) {
        begin_probe(self, &self->startup, PROBE_STARTUP, "startupProbe", envp);
        return;
    }
    begin_probe(self, &self->readiness, PROBE_READINESS, "readinessProbe", envp);
    begin_probe(self, &self->liveness, PROBE_LIVENESS, "livenessProbe", envp);
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

static void on_output(void *arg, int fd, uint32_t events)
{
    (void)events;
    pod_container_t *self = arg;
    char bytes[OUTPUT_TURN];
    ssize_t size = read(fd, bytes, sizeof(bytes));
    if (size > 0)
        container_log_append(self->log, bytes, (size_t)size);
    else if (size == 0 || errno != EAGAIN)
        close_output(self);
}

/* What it wrote before its end; its whole pid namespace is gone, so nobody writes any more. */
static void drain_output(pod_container_t *self)
{
    char bytes[OUTPUT_TURN];
    for (ssize_t size;
         self->output_fd >= 0 && (size = read(self->output_fd, bytes, sizeof(bytes))) > 0;)
        container_log_append(self->log, bytes, (size_t)size);
    close_output(self);
    container_log_close(self->log);
}

/* ---- running -----------------------------------------------------------------------------------
 */

json_t *container_run_terminated(const pod_container_t *self)
{
    AUTO_FREE char *id = xasprintf("containerd://%s-%s-%lld", object_uid(self->pod->object),
        self->name, (long long)self->restarts);
    return json_pack("{s:{s:i, s:s, s:o, s:o, s:s}}", "terminated", "exitCode", self->exit.code,
        "reason", self->reason ? self->reason : "Error", "startedAt", object_time(self->started_at),
        "finishedAt", object_time(self->finished_at), "containerID", id);
}

static void on_exited(void *arg, const container_exit_t *exit)
{
    pod_container_t *self = arg;
    ev_cancel(self->pod->context->ev, self->kill_timer);
    self->kill_timer = 0;
    end_probes(self);
    drain_output(self);
    container_destroy(&self->process);
    self->state = CONTAINER_TERMINATED;
    self->exit = *exit;
    self->finished_at = time(NULL);
    set_text(&self->reason, exit->is_oom ? "OOMKilled" : exit->code == 0 ? "Completed" : "Error");
    set_text(&self->message, NULL);
    pod_on_container_exited(self->pod, self);
}

static bool may_restart(const pod_container_t *self)
{
    const char *policy = object_string(self->pod->object, "spec.restartPolicy");
    bool has_failed = self->exit.code != 0;
    if (strcmp(policy, "Never") == 0)
        return false;
    return has_failed || (!self->is_init && strcmp(policy, "OnFailure") != 0);
}

/* After an exit: again at once the first time, later after a growing pause. */
bool container_run_restart(pod_container_t *self)
{
    if (!may_restart(self))
        return false;
    if (self->finished_at - self->started_at >= BACKOFF_FORGOTTEN_S)
        self->backoff_ms = 0;
    json_decref(self->last_state);
    self->last_state = container_run_terminated(self);
    int64_t delay_ms = self->backoff_ms;
    self->backoff_ms = next_backoff(self);
    self->restarts++;
    if (delay_ms) {
        AUTO_FREE char *message =
            xasprintf("back-off %llds restarting failed container=%s pod=%s_%s(%s)",
                (long long)(delay_ms / 1000), self->name, object_name(self->pod->object),
                object_namespace(self->pod->object), object_uid(self->pod->object));
        pod_event(self->pod, self, warning, "BackOff",
            "Back-off restarting failed container %s in pod %s_%s(%s)", self->name,
            object_name(self->pod->object), object_namespace(self->pod->object),
            object_uid(self->pod->object));
        wait_because(self, "CrashLoopBackOff", message);
    }
    retry_after(self, delay_ms);
    return true;
}

static void fail_to_pull(pod_container_t *self, const char *image)
{
    bool is_first = !self->reason || strcmp(self->reason, "ContainerCreating") == 0
                    || strcmp(self->reason, "PodInitializing") == 0;
    AUTO_FREE char *cause = xasprintf("failed to pull and unpack image \"%s\": failed to resolve "
                                      "reference \"%s\": %s: not found",
        image, image, image);
    AUTO_FREE char *back_off = xasprintf("Back-off pulling image \"%s\"", image);
    if (is_first || strcmp(self->reason, "ImagePullBackOff") == 0) {
        pod_event(self->pod, self, normal, "Pulling", "Pulling image \"%s\"", image);
        pod_event(
            self->pod, self, warning, "Failed", "Failed to pull image \"%s\": %s", image, cause);
        pod_event(self->pod, self, warning, "Failed", "Error: ErrImagePull");
    }
    self->backoff_ms = next_backoff(self);
    if (is_first) {
        wait_because(self, "ErrImagePull", cause);
    } else {
        pod_event(self->pod, self, normal, "BackOff", "%s", back_off);
        pod_event(self->pod, self, warning, "Failed", "Error: ImagePullBackOff");
        wait_because(self, "ImagePullBackOff", back_off);
    }
    retry_after(self, self->backoff_ms);
}

static void fail_to_create(
    pod_container_t *self, const char *reason, const char *message, int64_t delay_ms)
{
    pod_event(self->pod, self, warning, "Failed", "Error: %s", message);
    wait_because(self, reason, message);
    retry_after(self, delay_ms);
}

static container_t *start_process(
    pod_container_t *self, const launch_t *launch, const char *bundle, err_t *err)
{
    pod_t *pod = self->pod;
    size_t mount_count = 0;
    rootfs_mount_t *mounts = volumes_mounts(self->spec, pod->volumes, bundle, &mount_count);
    AUTO_FREE char *name = xasprintf("%s-%s", object_uid(pod->object), self->name);
    const char *cwd = object_string(self->spec, "workingDir");
    const json_t *own = object_at(self->spec, "securityContext");
    const json_t *shared = object_at(pod->object, "spec.securityContext");
    container_config_t config = {
        .name = name,
        .argv = launch->argv,
        .envp = launch->envp,
        .cwd = *cwd ? cwd : NULL,
        .mounts = mounts,
        .mount_count = mount_count,
        .limits = launch->limits,
        .uid = (uid_t)object_integer(own, "runAsUser", object_integer(shared, "runAsUser", 0)),
        .gid = (gid_t)object_integer(own, "runAsGroup", object_integer(shared, "runAsGroup", 0)),
    };
    container_t *process =
        container_start(pod->sandbox, &config, &self->output_fd, on_exited, self, err);
    volumes_free_mounts(mounts, mount_count);
    return process;
}

static void begin_run(pod_container_t *self)
{
    container_log_destroy(&self->previous_log);
    self->previous_log = self->log;
    self->log = container_log_new();
    self->state = CONTAINER_RUNNING;
    self->started_at = time(NULL);
    set_text(&self->reason, NULL);
    set_text(&self->message, NULL);
    self->is_started = object_at(self->spec, "startupProbe") == NULL;
    self->is_ready = !self->is_init && object_at(self->spec, "readinessProbe") == NULL;
    ev_fd(self->pod->context->ev, self->output_fd, EPOLLIN, on_output, self);
    pod_event(self->pod, self, normal, "Created", "Created container %s", self->name);
    pod_event(self->pod, self, normal, "Started", "Started container %s", self->name);
    begin_probes(self);
    pod_on_container_changed(self->pod);
}

void container_run_start(pod_container_t *self)
{
    pod_t *pod = self->pod;
    const char *image_name = object_string(self->spec, "image");
    const json_t *image = images_find(pod->context->images, image_name);
    if (!image) {
        fail_to_pull(self, image_name);
        return;
    }
    pod_event(pod, self, normal, "Pulled", "Container image \"%s\" already present on machine",
        image_name);
    launch_subject_t subject = {
        .store = pod->context->store,
        .pod = pod->object,
        .container = self->spec,
        .image = image,
        .pod_ip = pod->address_text,
        .host_ip = pod->host_address,
    };
    err_t err = {0};
    AUTO(launch_done) launch_t launch;
    if (launch_init(&launch, &subject, &err) < 0) {
        fail_to_create(self, "CreateContainerConfigError", err.text, CONFIG_RETRY_MS);
        return;
    }
    AUTO_FREE char *bundle = images_bundle(pod->context->images, image);
    self->process = start_process(self, &launch, bundle, &err);
    if (self->process) {
        begin_run(self);
        return;
    }
    self->backoff_ms = next_backoff(self);
    fail_to_create(self, "RunContainerError", err.text, self->backoff_ms);
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
        .output_fd = -1,
        .reason = xstrdup(pod->init_count ? "PodInitializing" : "ContainerCreating"),
    };
}

void container_run_done(pod_container_t *self)
{
    ev_cancel(self->pod->context->ev, self->retry_timer);
    ev_cancel(self->pod->context->ev, self->kill_timer);
    end_probes(self);
    container_destroy(&self->process);
    close_output(self);
    container_log_destroy(&self->log);
    container_log_destroy(&self->previous_log);
    json_decref(self->last_state);
    json_decref(self->spec);
    free(self->reason);
    free(self->message);
}
