#include "services/cluster/env/kubelet/pod.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/events.h"
#include "services/cluster/env/kubelet/volumes.h"
#include "services/cluster/env/object.h"

#include <arpa/inet.h>
#include <string.h>

enum { SETUP_RETRY_MS = 2000 };

const char *pod_node(const pod_t *self)
{
    return object_string(self->object, "spec.nodeName");
}

void pod_event(const pod_t *self, const pod_container_t *container, const char *type,
    const char *reason, const char *format, ...)
{
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    AUTO_FREE char *field =
        container ? xasprintf(
            "spec.%s{%s}", container->is_init ? "initContainers" : "containers", container->name)
                  : NULL;
    event_source_t source = {"kubelet", pod_node(self)};
    event_record(self->context->store, source, self->object, field, type, reason, "%s", message);
}

/* ---- status ------------------------------------------------------------------------------------
 */

/* Several changes in one turn of the loop make one write. */
static void on_status_due(void *arg)
{
    pod_t *self = arg;
    self->status_timer = 0;
    json_t *pod = object_copy(self->object, "metadata");
    json_object_del(object_at(pod, "metadata"), "resourceVersion"); /* ours alone to say */
    json_object_set_new(pod, "status", pod_status(self));
    (void)store_update(self->context->store, kind_find("Pod"), pod, STORE_STATUS,
        NULL); /* gone meanwhile: the kubelet is told next */
}

void pod_on_container_changed(pod_t *self)
{
    if (!self->status_timer)
        self->status_timer = ev_after(self->context->ev, 0, on_status_due, self);
}

/* ---- ending ------------------------------------------------------------------------------------
 */

static bool has_running(const pod_t *self)
{
    for (size_t i = 0; i < self->container_count; i++) {
        if (self->containers[i].process)
            return true;
    }
    for (size_t i = 0; i < self->init_count; i++) {
        if (self->init_containers[i].process)
            return true;
    }
    return false;
}

/* The kubelet's watch sees the object go and destroys the pod. */
static void finish_end(pod_t *self)
{
    (void)store_remove(self->context->store, kind_find("Pod"), object_namespace(self->object),
        object_name(self->object), NULL); /* gone already: removed by force */
}

static void stop_containers(pod_container_t *containers, size_t count, int64_t grace_ms)
{
    for (size_t i = 0; i < count; i++) {
        if (containers[i].process)
            pod_event(containers[i].pod, &containers[i], "Normal", "Killing",
                "Stopping container %s", containers[i].name);
        container_run_stop(&containers[i], grace_ms);
    }
}

void pod_end(pod_t *self)
{
    if (self->is_ending)
        return;
    self->is_ending = true;
    ev_cancel(self->context->ev, self->setup_timer);
    self->setup_timer = 0;
    int64_t grace_ms = 1000
                       * object_integer(self->object, "metadata.deletionGracePeriodSeconds",
                           object_integer(self->object, "spec.terminationGracePeriodSeconds", 30));
    stop_containers(self->init_containers, self->init_count, grace_ms);
    stop_containers(self->containers, self->container_count, grace_ms);
    if (!has_running(self))
        finish_end(self);
}

/* ---- starting ----------------------------------------------------------------------------------
 */

static void start_next(pod_t *self)
{
    if (self->init_done < self->init_count) {
        container_start_run(&self->init_containers[self->init_done]);
        return;
    }
    for (size_t i = 0; i < self->container_count; i++) {
        if (self->containers[i].state == CONTAINER_WAITING && !self->containers[i].retry_timer)
            container_start_run(&self->containers[i]);
    }
}

void pod_on_container_exited(pod_t *self, pod_container_t *container)
{
    pod_on_container_changed(self);
    if (self->is_ending) {
        if (!has_running(self))
            finish_end(self);
        return;
    }
    bool is_init_done = container->is_init && container->exit.code == 0;
    if (is_init_done) {
        self->init_done++;
        start_next(self);
    } else {
        (void)container_run_restart(container); /* false: it stays terminated */
    }
}

static void set_up(void *arg);

static void fail_setup(pod_t *self, const char *reason, const char *message)
{
    pod_event(self, NULL, "Warning", reason, "%s", message);
    self->setup_timer = ev_after(self->context->ev, SETUP_RETRY_MS, set_up, self);
    pod_on_container_changed(self);
}

static void set_up(void *arg)
{
    pod_t *self = arg;
    err_t err = {0};
    self->setup_timer = 0;
    if (volumes_prepare(self->context->store, self->object, self->volumes, &err) < 0) {
        fail_setup(self, "FailedMount", err.text);
        return;
    }
    AUTO_FREE char *search = xasprintf(
        "%s.svc.cluster.local svc.cluster.local cluster.local", object_namespace(self->object));
    if (!self->sandbox)
        self->sandbox = sandbox_new(
            self->context->runtime, object_name(self->object), self->address, search, &err);
    if (!self->sandbox) {
        fail_setup(self, "FailedCreatePodSandBox", err.text);
        return;
    }
    start_next(self);
}

/* ---- life cycle --------------------------------------------------------------------------------
 */

static pod_container_t *make_containers(
    pod_t *self, const char *field, bool is_init, size_t *count_p)
{
    const json_t *specs = object_at(self->object, field);
    *count_p = json_array_size(specs);
    pod_container_t *containers = xcalloc(*count_p + 1, sizeof(*containers));
    for (size_t i = 0; i < *count_p; i++)
        container_run_init(&containers[i], self, json_array_get(specs, i), is_init);
    return containers;
}

pod_t *pod_new(
    pod_context_t *context, json_t *object, struct in_addr address, const char *host_address)
{
    pod_t *self = xcalloc(1, sizeof(*self));
    *self = (pod_t){.context = context,
        .object = json_incref(object),
        .address = address,
        .host_address = host_address,
        .started_at = time(NULL)};
    inet_ntop(AF_INET, &address, self->address_text, sizeof(self->address_text));
    self->volumes = xasprintf("%s/pod-%s", context->work_dir, object_uid(object));
    self->init_containers = make_containers(self, "spec.initContainers", true, &self->init_count);
    self->containers = make_containers(self, "spec.containers", false, &self->container_count);
    self->setup_timer = ev_after(context->ev, 0, set_up, self);
    return self;
}

void pod_destroy(pod_t **self_p)
{
    pod_t *self = *self_p;
    if (!self)
        return;
    ev_cancel(self->context->ev, self->setup_timer);
    ev_cancel(self->context->ev, self->status_timer);
    for (size_t i = 0; i < self->init_count; i++)
        container_run_done(&self->init_containers[i]);
    for (size_t i = 0; i < self->container_count; i++)
        container_run_done(&self->containers[i]);
    sandbox_destroy(&self->sandbox);
    volumes_remove(self->volumes);
    free(self->init_containers);
    free(self->containers);
    free(self->volumes);
    json_decref(self->object);
    free(self);
    *self_p = NULL;
}

void pod_update(pod_t *self, json_t *object)
{
    json_incref(object);
    json_decref(self->object);
    self->object = object;
    if (object_is_deleted(object))
        pod_end(self);
}

static pod_container_t *find(pod_container_t *containers, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(containers[i].name, name) == 0)
            return &containers[i];
    }
    return NULL;
}

pod_container_t *pod_container(pod_t *self, const char *name)
{
    pod_container_t *container = find(self->containers, self->container_count, name);
    return container ? container : find(self->init_containers, self->init_count, name);
}
