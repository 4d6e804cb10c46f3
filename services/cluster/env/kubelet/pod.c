#include "services/cluster/env/kubelet/pod.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/events.h"
#include "services/cluster/env/kubelet/pod_names.h"
#include "services/cluster/env/kubelet/volumes.h"
#include "services/cluster/env/object.h"

#include <arpa/inet.h>
#include <string.h>

enum { SETUP_RETRY_MS = 2000, LIMITS_MS = 10000 };

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
    AUTO_FREE char *field = container ? xasprintf("spec.%s{%s}",
                                container->is_init        ? "initContainers"
                                : container->is_ephemeral ? "ephemeralContainers"
                                                          : "containers",
                                container->name)
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
    if (self->is_deaf)
        return; /* told when it hears again */
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

/* ---- starting ----------------------------------------------------------------------------------
 */

static bool is_idle(const pod_container_t *container)
{
    return container->state == CONTAINER_WAITING && !container->retry_timer && !container->process;
}

/* Init containers one by one: an ordinary one must succeed, a sidecar start. Then all the others.
 */
static void start_next(pod_t *self)
{
    if (self->init_done < self->init_count) {
        if (is_idle(&self->init_containers[self->init_done]))
            container_start_run(&self->init_containers[self->init_done]);
        return;
    }
    for (size_t i = 0; i < self->container_count; i++) {
        if (is_idle(&self->containers[i]))
            container_start_run(&self->containers[i]);
    }
}

static void finish_init(pod_t *self, const pod_container_t *container)
{
    bool is_next =
        self->init_done < self->init_count && container == &self->init_containers[self->init_done];
    if (!is_next || self->is_ending || self->failure)
        return;
    self->init_done++;
    start_next(self);
}

void pod_on_container_started(pod_t *self, pod_container_t *container)
{
    pod_on_container_changed(self);
    if (container->is_sidecar)
        finish_init(self, container);
}

/* Whether all main containers have ended for good. */
static bool is_done(const pod_t *self)
{
    for (size_t i = 0; i < self->container_count; i++) {
        if (self->containers[i].state != CONTAINER_TERMINATED
            || container_run_may_restart(&self->containers[i]))
            return false;
    }
    return true;
}

/* A failed init container that is not tried again: the others will never start. */
static bool is_hopeless(const pod_container_t *container)
{
    return container->is_init && container->exit.code != 0 && !container_run_may_restart(container);
}

void pod_on_container_exited(pod_t *self, pod_container_t *container)
{
    pod_on_container_changed(self);
    if (self->is_ending || self->failure || is_done(self) || is_hopeless(container)) {
        pod_end_step(self);
        return;
    }
    if (container->is_ephemeral)
        return;
    if (container->is_init && !container->is_sidecar && container->exit.code == 0)
        finish_init(self, container);
    else
        (void)container_run_restart(container); /* false: it stays terminated */
}

static void set_up(void *arg);

static const char *host_name(const json_t *pod)
{
    const char *wanted = object_string(pod, "spec.hostname");
    return *wanted ? wanted : object_name(pod);
}

static void fail_setup(pod_t *self, const char *reason, const char *message)
{
    pod_event(self, NULL, "Warning", reason, "%s", message);
    self->setup_timer = ev_after(self->context->ev, SETUP_RETRY_MS, set_up, self);
    pod_on_container_changed(self);
}

/* The domains in which names are looked for; NULL: the pod does not ask the cluster. For free(). */
static char *search_domains(const json_t *pod)
{
    const char *policy = object_string(pod, "spec.dnsPolicy");
    bool is_on_host = json_is_true(object_at(pod, "spec.hostNetwork"));
    if (strcmp(policy, "Default") == 0 || (is_on_host && strcmp(policy, "ClusterFirst") == 0))
        return NULL;
    return xasprintf("%s.svc.cluster.local svc.cluster.local cluster.local", object_namespace(pod));
}

static void set_up(void *arg)
{
    pod_t *self = arg;
    err_t err = {0};
    self->setup_timer = 0;
    volumes_subject_t volumes = pod_volumes(self);
    if (volumes_prepare(&volumes, &err) < 0) {
        fail_setup(self, "FailedMount", err.text);
        return;
    }
    AUTO_FREE char *search = search_domains(self->object);
    if (!self->sandbox)
        self->sandbox = sandbox_new(
            self->context->runtime, host_name(self->object), self->address, search, &err);
    if (!self->sandbox) {
        fail_setup(self, "FailedCreatePodSandBox", err.text);
        return;
    }
    sandbox_set_names(self->sandbox, pod_names_hosts(self->object, self->address_text),
        pod_names_resolv_conf(self->object));
    start_next(self);
    pod_start_ephemeral(self);
}

/* ---- limits ------------------------------------------------------------------------------------
 */

static void on_limits_due(void *arg)
{
    pod_t *self = arg;
    volumes_subject_t volumes = pod_volumes(self);
    AUTO_FREE char *excess = volumes_excess(&volumes);
    self->limits_timer = ev_after(self->context->ev, LIMITS_MS, on_limits_due, self);
    if (excess)
        pod_fail(self, "Evicted", excess);
}

static void on_deadline(void *arg)
{
    pod_t *self = arg;
    self->deadline_timer = 0;
    pod_fail(
        self, "DeadlineExceeded", "Pod was active on the node longer than the specified deadline");
}

static void begin_limits(pod_t *self)
{
    int64_t deadline = object_integer(self->object, "spec.activeDeadlineSeconds", 0);
    if (deadline > 0)
        self->deadline_timer = ev_after(self->context->ev, 1000 * deadline, on_deadline, self);
    if (volumes_have_limits(self->object))
        self->limits_timer = ev_after(self->context->ev, LIMITS_MS, on_limits_due, self);
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
    self->init_containers = make_containers(self, "spec.initContainers", true, &self->init_count);
    self->containers = make_containers(self, "spec.containers", false, &self->container_count);
    self->setup_timer = ev_after(context->ev, 0, set_up, self);
    begin_limits(self);
    return self;
}

void pod_destroy(pod_t **self_p)
{
    pod_t *self = *self_p;
    if (!self)
        return;
    ev_cancel(self->context->ev, self->setup_timer);
    ev_cancel(self->context->ev, self->status_timer);
    ev_cancel(self->context->ev, self->deadline_timer);
    ev_cancel(self->context->ev, self->limits_timer);
    for (size_t i = 0; i < self->init_count; i++)
        container_run_done(&self->init_containers[i]);
    for (size_t i = 0; i < self->container_count; i++)
        container_run_done(&self->containers[i]);
    for (size_t i = 0; i < self->ephemeral_count; i++) {
        container_run_done(self->ephemeral[i]);
        free(self->ephemeral[i]);
    }
    sandbox_destroy(&self->sandbox);
    volumes_subject_t volumes = pod_volumes(self);
    volumes_remove(&volumes);
    free(self->init_containers);
    free(self->containers);
    free(self->ephemeral);
    free(self->failure_message);
    json_decref(self->object);
    free(self);
    *self_p = NULL;
}

downward_t pod_downward(const pod_t *self)
{
    return (downward_t){.store = self->context->store,
        .pod = self->object,
        .pod_ip = self->address_text,
        .host_ip = self->host_address};
}

volumes_subject_t pod_volumes(const pod_t *self)
{
    return (volumes_subject_t){.work_dir = self->context->work_dir,
        .pod = pod_downward(self),
        .tokens = self->context->tokens};
}

void pod_refresh(pod_t *self)
{
    volumes_subject_t volumes = pod_volumes(self);
    if (self->sandbox) /* before that, all are made anyway */
        volumes_refresh(&volumes);
}

static bool is_relabelled(const json_t *object, const json_t *old)
{
    static const char *const maps[] = {"metadata.labels", "metadata.annotations"};
    for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
        const json_t *now = object_at(object, maps[i]);
        const json_t *before = object_at(old, maps[i]);
        if (now != before && !json_equal(now, before))
            return true;
    }
    return false;
}

void pod_set_deaf(pod_t *self, bool is_deaf)
{
    self->is_deaf = is_deaf;
    if (!is_deaf)
        pod_on_container_changed(self);
}

void pod_update(pod_t *self, json_t *object)
{
    json_auto_t *old = self->object;
    self->object = json_incref(object);
    if (self->is_deaf)
        return;
    if (is_relabelled(object, old))
        pod_refresh(self);
    if (object_is_deleted(object))
        pod_end(self);
    else
        pod_start_ephemeral(self);
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
    if (!container)
        container = find(self->init_containers, self->init_count, name);
    return container ? container : pod_ephemeral(self, name);
}
