/* misconfig_app: the Deployments of the targets are given an image with a defect.
 *
 * In force means that the Deployment asks for that image; whether its pods run, crash or are scaled
 * away makes no difference. Recovery gives each container back the image that it had. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/injector/fault.h"

#include <string.h>

enum { EFFECT_MS = 60 * 1000 };

static const char default_image[] = "yinfangchen/geo:app3";

static json_t *containers_of(const json_t *deployment)
{
    json_t *spec = json_object_get(deployment, "spec");
    return json_object_get(
        json_object_get(json_object_get(spec, "template"), "spec"), "containers");
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* The container of that name, or the first if name is NULL; NULL if there is none. */
static json_t *container_of(const json_t *deployment, const char *name)
{
    json_t *containers = containers_of(deployment);
    size_t i;
    json_t *container;
    json_array_foreach(containers, i, container)
    {
        if (!name || strcmp(text_of(container, "name"), name) == 0)
            return container;
    }
    return NULL;
}

static int set_image(fault_work_t *work, const char *deployment, const char *container,
    const char *image, err_t *err)
{
    json_t *patch = json_pack("{s:{s:{s:{s:[{s:s, s:s}]}}}}", "spec", "template", "spec",
        "containers", "name", container, "image", image);
    int rc = kube_call(work->kube,
        kube_patch(KUBE("Deployment", work->record->namespace, deployment), KUBE_STRATEGIC, patch),
        NULL, err);
    json_decref(patch);
    return rc < 0 ? err_wrap(err, "deployment '%s'", deployment) : 0;
}

/* ---- until it has taken effect ------------------------------------------------------------ */

/* "app=geo,tier=back" of a Deployment's selector; for free(). */
static char *selector_of(const json_t *deployment)
{
    json_t *labels = json_object_get(
        json_object_get(json_object_get(deployment, "spec"), "selector"), "matchLabels");
    char *selector = xstrdup("");
    const char *key;
    json_t *value;
    json_object_foreach(labels, key, value)
    {
        char *longer =
            xasprintf("%s%s%s=%s", selector, *selector ? "," : "", key, json_string_value(value));
        free(selector);
        selector = longer;
    }
    return selector;
}

static bool has_image(const json_t *pod, const char *image)
{
    json_t *containers = json_object_get(json_object_get(pod, "spec"), "containers");
    size_t i;
    json_t *container;
    json_array_foreach(containers, i, container)
    {
        if (strcmp(text_of(container, "image"), image) == 0)
            return true;
    }
    return false;
}

static bool is_going(const json_t *pod)
{
    return json_object_get(json_object_get(pod, "metadata"), "deletionTimestamp") != NULL;
}

/* Whether the kubelet has tried to run its containers, with whatever luck. */
static bool was_started(const json_t *pod)
{
    json_t *statuses = json_object_get(json_object_get(pod, "status"), "containerStatuses");
    size_t i;
    json_t *status;
    json_array_foreach(statuses, i, status)
    {
        json_t *state = json_object_get(status, "state");
        json_t *waiting = json_object_get(state, "waiting");
        if (json_object_get(state, "running") || json_object_get(state, "terminated")
            || (waiting && strcmp(text_of(waiting, "reason"), "ContainerCreating") != 0))
            return true;
    }
    return false;
}

/* A pod of the new image was started, and none of the old one is left. */
static bool has_taken_effect(void *arg, const json_t *pods, err_t *why)
{
    const char *image = arg;
    bool is_started = false;
    const char *name;
    json_t *pod;
    json_object_foreach((json_t *)pods, name, pod)
    {
        if (has_image(pod, image)) {
            is_started = is_started || was_started(pod);
        } else if (!is_going(pod)) {
            (void)err_set(why, ERR_TIMEOUT, "pod '%s' still has the old image", name);
            return false;
        }
    }
    if (!is_started)
        (void)err_set(why, ERR_TIMEOUT, "no pod with the new image was started");
    return is_started;
}

static int await_effect(fault_work_t *work, const json_t *deployment, const char *image, err_t *err)
{
    AUTO_FREE char *selector = selector_of(deployment);
    return kube_wait_call(work->kube, KUBE("Pod", work->record->namespace, NULL), selector,
        has_taken_effect, (void *)image, EFFECT_MS, err);
}

/* ---- the kind ----------------------------------------------------------------------------- */

static int inject_into(fault_work_t *work, const char *target, err_t *err)
{
    const char *image = fault_parameter(work, "image", default_image);
    json_auto_t *deployment = NULL;
    int rc = kube_call(work->kube, kube_get(KUBE("Deployment", work->record->namespace, target)),
        &deployment, err);
    if (rc < 0)
        return rc;

    json_t *container = container_of(deployment, fault_parameter(work, "container", NULL));
    if (!container)
        return err_set(err, ERR_NOT_FOUND, "deployment '%s' has no such container", target);
    if (strcmp(text_of(container, "image"), image) == 0)
        return err_set(err, ERR_STATE, "deployment '%s' has the image '%s' already", target, image);

    rc = record_note(work->record,
        json_pack("{s:s, s:s, s:s}", "deployment", target, "container", text_of(container, "name"),
            "image", text_of(container, "image")),
        err);
    if (rc == 0)
        rc = set_image(work, target, text_of(container, "name"), image, err);
    return rc < 0 ? rc : await_effect(work, deployment, image, err);
}

static int inject(fault_work_t *work, err_t *err)
{
    for (size_t i = 0; i < work->record->targets.count; i++) {
        int rc = inject_into(work, work->record->targets.items[i], err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int recover(fault_work_t *work, err_t *err)
{
    for (size_t i = json_array_size(work->record->changes); i > 0; i--) {
        const json_t *change = json_array_get(work->record->changes, i - 1);
        err_t cause = {0};
        int rc = set_image(work, text_of(change, "deployment"), text_of(change, "container"),
            text_of(change, "image"), &cause);
        if (rc == -ERR_NOT_FOUND)
            continue; /* somebody deleted the Deployment, and the fault with it */
        if (rc < 0)
            return err_set(err, cause.code, "%s", cause.text);
    }
    return 0;
}

static int check(fault_work_t *work, err_t *err)
{
    const char *image = fault_parameter(work, "image", default_image);
    work->is_in_force = false;
    work->evidence = json_pack("{s:s, s:{}}", "faulty_image", image, "images");
    size_t i;
    json_t *change;
    json_array_foreach(work->record->changes, i, change)
    {
        const char *name = text_of(change, "deployment");
        json_auto_t *deployment = NULL;
        err_t cause = {0};
        int rc = kube_call(work->kube, kube_get(KUBE("Deployment", work->record->namespace, name)),
            &deployment, &cause);
        if (rc < 0 && rc != -ERR_NOT_FOUND)
            return err_set(err, cause.code, "%s", cause.text);
        const char *present =
            text_of(container_of(deployment, text_of(change, "container")), "image");
        json_object_set_new(json_object_get(work->evidence, "images"), name, json_string(present));
        if (strcmp(present, image) == 0)
            work->is_in_force = true;
    }
    return 0;
}

const fault_kind_t fault_misconfig_app = {
    .name = "misconfig_app",
    .level = "application",
    .summary = "The targets' Deployments run an image with a defect (parameters: image, container)",
    .watched = "Deployment",
    .inject = inject,
    .recover = recover,
    .check = check,
};
