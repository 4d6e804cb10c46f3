/* How a container ends: asked by its hook and by signals, with what it leaves to say. */
#include "services/cluster/env/kubelet/pod.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum {
    AFTER_HOOK_MS = 2000, /* what is left to a container, however long its hook took */
    MESSAGE_BYTES = 4096,
    LOG_LINES = 80,
    LOG_BYTES = 2048,
};

/* ---- stopping ---------------------------------------------------------------------------------
 */

static void on_grace_over(void *arg)
{
    pod_container_t *self = arg;
    self->kill_timer = 0;
    hook_destroy(&self->hook);
    if (self->process)
        container_kill(self->process, SIGKILL);
}

static void kill_at(pod_container_t *self, int64_t at)
{
    ev_t *ev = self->pod->context->ev;
    int64_t left = at - ev_now(ev);
    ev_cancel(ev, self->kill_timer);
    self->stop_by = at;
    self->kill_timer = ev_after(ev, left > 0 ? left : 0, on_grace_over, self);
}

static void on_pre_stop(void *arg, bool is_well)
{
    pod_container_t *self = arg;
    int64_t least = ev_now(self->pod->context->ev) + AFTER_HOOK_MS;
    hook_destroy(&self->hook);
    if (!is_well)
        pod_event(self->pod, self, "Warning", "FailedPreStopHook", "PreStopHook failed");
    if (self->stop_by < least)
        kill_at(self, least);
    container_kill(self->process, SIGTERM);
}

void container_run_stop(pod_container_t *self, int64_t grace_ms)
{
    ev_t *ev = self->pod->context->ev;
    const json_t *pre_stop = object_at(self->spec, "lifecycle.preStop");
    bool is_first = !self->is_stopping;
    ev_cancel(ev, self->retry_timer);
    self->retry_timer = 0;
    if (!self->process || (!is_first && ev_now(ev) + grace_ms >= self->stop_by))
        return;
    self->is_stopping = true;
    if (grace_ms <= 0) {
        container_kill(self->process, SIGKILL);
        return;
    }
    kill_at(self, ev_now(ev) + grace_ms);
    if (!is_first)
        return;
    bool is_started = !self->hook; /* a postStart hook ends here */
    hook_destroy(&self->hook);
    probe_destroy(&self->startup);
    probe_destroy(&self->liveness);
    if (pre_stop && is_started) {
        probe_subject_t subject = container_run_subject(self, pre_stop);
        self->hook = hook_new(&subject, on_pre_stop, self);
    } else {
        container_kill(self->process, SIGTERM);
    }
}

void container_end_hook_failed(pod_container_t *self)
{
    pod_event(self->pod, self, "Warning", "FailedPostStartHook", "PostStartHook failed");
    pod_event(self->pod, self, "Normal", "Killing", "FailedPostStartHook");
    container_run_stop(
        self, 1000 * object_integer(self->pod->object, "spec.terminationGracePeriodSeconds", 30));
}

/* ---- last words -------------------------------------------------------------------------------
 */

/* The file is a mount in the container, so that this is what the container wrote, and no link. */
static char *read_message(const pod_container_t *self)
{
    volumes_subject_t volumes = pod_volumes(self->pod);
    AUTO_FREE char *path = volumes_message_file(&volumes, self->name);
    char *text = xcalloc(1, MESSAGE_BYTES + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? 0 : read(fd, text, MESSAGE_BYTES);
    if (fd >= 0)
        close(fd);
    text[size > 0 ? size : 0] = '\0';
    return text;
}

char *container_end_message(const pod_container_t *self, const container_exit_t *exit)
{
    const char *policy = object_string(self->spec, "terminationMessagePolicy");
    char *text = read_message(self);
    if (!*text && exit->code != 0 && strcmp(policy, "FallbackToLogsOnError") == 0) {
        free(text);
        text = container_log_tail(self->log, LOG_LINES, LOG_BYTES);
    }
    if (*text)
        return text;
    free(text);
    return NULL;
}
