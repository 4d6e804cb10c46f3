/* From an image name to a running process: pull, configuration, start. */
#include "services/cluster/env/kubelet/pod.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/kubelet/security.h"
#include "services/cluster/env/kubelet/volumes.h"
#include "services/cluster/env/object.h"

#include <string.h>

enum {
    CONFIG_RETRY_MS = 2000, /* after CreateContainerConfigError */
    DEAF_RETRY_MS = 1000,   /* while the node's kubelet is stopped */
    PULL_SYNC_MS = 1000,    /* how long ErrImagePull is to be seen */
};

static const char *const normal = "Normal";
static const char *const warning = "Warning";

/* ---- image ------------------------------------------------------------------------------------
 */

static bool is_waiting_for(const pod_container_t *self, const char *reason)
{
    return self->state == CONTAINER_WAITING && self->reason && strcmp(self->reason, reason) == 0;
}

/* An attempt, then a back-off, and so on, each with its own reason and events. */
static void fail_to_pull(pod_container_t *self, const char *image)
{
    if (is_waiting_for(self, "ErrImagePull")) {
        AUTO_FREE char *message = xasprintf("Back-off pulling image \"%s\"", image);
        pod_event(self->pod, self, normal, "BackOff", "%s", message);
        pod_event(self->pod, self, warning, "Failed", "Error: ImagePullBackOff");
        container_run_wait(self, "ImagePullBackOff", message);
        container_run_retry(self);
        return;
    }
    AUTO_FREE char *reference = images_reference(image);
    AUTO_FREE char *message =
        xasprintf("rpc error: code = NotFound desc = failed to pull and unpack image \"%s\": "
                  "failed to resolve reference \"%s\": %s: not found",
            reference, reference, reference);
    pod_event(self->pod, self, normal, "Pulling", "Pulling image \"%s\"", image);
    pod_event(
        self->pod, self, warning, "Failed", "Failed to pull image \"%s\": %s", image, message);
    pod_event(self->pod, self, warning, "Failed", "Error: ErrImagePull");
    container_run_wait(self, "ErrImagePull", message);
    container_run_retry_after(self, PULL_SYNC_MS);
}

static void refuse_name(pod_container_t *self, const char *image)
{
    AUTO_FREE char *message = xasprintf("Failed to apply default image tag \"%s\": couldn't parse "
                                        "image name \"%s\": invalid reference format",
        image, image);
    pod_event(self->pod, self, warning, "InspectFailed", "%s", message);
    pod_event(self->pod, self, warning, "Failed", "Error: InvalidImageName");
    container_run_wait(self, "InvalidImageName", message);
    container_run_retry_after(self, CONFIG_RETRY_MS);
}

static void refuse_to_pull(pod_container_t *self, const char *image)
{
    AUTO_FREE char *message =
        xasprintf("Container image \"%s\" is not present with pull policy of Never", image);
    pod_event(self->pod, self, warning, "ErrImageNeverPull", "%s", message);
    pod_event(self->pod, self, warning, "Failed", "Error: ErrImageNeverPull");
    container_run_wait(self, "ErrImageNeverPull", message);
    container_run_retry(self);
}

/* The image's entry, or NULL: then it waits and is tried again. What is in the list has been on
 * this machine all along, so that a pull takes no time. */
static const json_t *pull(pod_container_t *self)
{
    const pod_context_t *context = self->pod->context;
    const char *name = object_string(self->spec, "image");
    const char *policy = object_string(self->spec, "imagePullPolicy");
    const json_t *image = images_find(context->images, name);
    AUTO_FREE char *key = xasprintf("%s %s", pod_node(self->pod), name);
    bool is_present = image && zhashx_lookup(context->pulled, key);
    if (is_present && strcmp(policy, "Always") != 0) {
        pod_event(self->pod, self, normal, "Pulled",
            "Container image \"%s\" already present on machine", name);
        return image;
    }
    if (strcmp(policy, "Never") == 0) {
        refuse_to_pull(self, name);
        return NULL;
    }
    if (!image) {
        fail_to_pull(self, name);
        return NULL;
    }
    zhashx_insert(context->pulled, key, (void *)image);
    pod_event(self->pod, self, normal, "Pulling", "Pulling image \"%s\"", name);
    pod_event(self->pod, self, normal, "Pulled",
        "Successfully pulled image \"%s\" in 1ms (1ms including waiting). Image size: %lld bytes.",
        name, (long long)images_size(context->images, image));
    return image;
}

/* ---- configuration ----------------------------------------------------------------------------
 */

static int configure(pod_container_t *self, const json_t *image, security_t *security, err_t *err)
{
    pod_t *pod = self->pod;
    launch_subject_t subject = {
        .pod = pod_downward(pod),
        .container = self->spec,
        .image = image,
    };
    launch_done(&self->launch);
    int rc = security_init(security, pod->object, self->spec, err);
    subject.uid = security->process.uid;
    return rc < 0 ? rc : launch_init(&self->launch, &subject, err);
}

static void fail_to_configure(pod_container_t *self, const err_t *err)
{
    pod_event(self->pod, self, warning, "Failed", "Error: %s", err->text);
    container_run_wait(self, "CreateContainerConfigError", err->text);
    container_run_retry_after(self, CONFIG_RETRY_MS);
}

/* ---- process ----------------------------------------------------------------------------------
 */

/* Whose processes it sees beside its own, or NULL. */
static const container_t *target_of(const pod_container_t *self)
{
    const char *name = object_string(self->spec, "targetContainerName");
    const pod_container_t *target = *name ? pod_container(self->pod, name) : NULL;
    return target && target != self ? target->process : NULL;
}

static container_t *start_process(pod_container_t *self, const json_t *image,
    const security_t *security, streams_t *streams_p, err_t *err)
{
    pod_t *pod = self->pod;
    size_t mount_count = 0;
    AUTO_FREE char *bundle = images_bundle(pod->context->images, image);
    volumes_subject_t volumes = pod_volumes(pod);
    rootfs_mount_t *mounts =
        volumes_mounts(&volumes, self->spec, bundle, launch_expand, &self->launch, &mount_count);
    AUTO_FREE char *name = xasprintf("%s-%s", object_uid(pod->object), self->name);
    container_config_t config = {
        .name = name,
        .argv = self->launch.argv,
        .envp = self->launch.envp,
        .cwd = self->launch.cwd,
        .mounts = mounts,
        .mount_count = mount_count,
        .limits = self->launch.limits,
        .security = security->process,
        .is_root_read_only = security->is_root_read_only,
        .pids_of = target_of(self),
        .has_input = object_is_true(self->spec, "stdin"),
        .has_terminal = object_is_true(self->spec, "tty"),
    };
    container_t *process =
        container_start(pod->sandbox, &config, streams_p, container_run_exited, self, err);
    volumes_free_mounts(mounts, mount_count);
    return process;
}

/* As containerd and runc put it. */
static void fail_to_start(pod_container_t *self, const err_t *err)
{
    const char *program = self->launch.argv[0];
    AUTO_FREE char *cause =
        err->code != ERR_NOT_FOUND ? xstrdup(err->text)
        : strchr(program, '/')
            ? xasprintf("exec: \"%s\": stat %s: no such file or directory", program, program)
            : xasprintf("exec: \"%s\": executable file not found in $PATH", program);
    AUTO_FREE char *message =
        xasprintf("failed to create containerd task: failed to create shim task: OCI runtime "
                  "create failed: runc create failed: unable to start container process: %s: "
                  "unknown",
            cause);
    container_run_failed_to_start(self, message);
}

void container_start_run(pod_container_t *self)
{
    err_t err = {0};
    streams_t streams;
    security_t security;
    if (self->pod->is_deaf) { /* nobody is there to do it */
        container_run_retry_after(self, DEAF_RETRY_MS);
        return;
    }
    if (!images_is_name(object_string(self->spec, "image"))) {
        refuse_name(self, object_string(self->spec, "image"));
        return;
    }
    const json_t *image = pull(self);
    if (!image)
        return;
    if (configure(self, image, &security, &err) < 0) {
        fail_to_configure(self, &err);
        return;
    }
    container_t *process = start_process(self, image, &security, &streams, &err);
    if (process)
        container_run_started(self, process, &streams);
    else
        fail_to_start(self, &err);
}
