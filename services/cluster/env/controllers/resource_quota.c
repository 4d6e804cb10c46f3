/* ResourceQuota: its status says what it limits and how much of that is taken. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/admission/quota.h"
#include "services/cluster/env/controllers/controller.h"
#include "services/cluster/env/controllers/work_queue.h"
#include "services/cluster/env/object.h"

typedef struct quotas {
    store_t *store;
    const kind_t *kind;
    const kind_t *event_kind;
    work_queue_t *queue;
    store_watch_t *watch;
} quotas_t;

static void reconcile(void *arg, const char *namespace, const char *name)
{
    quotas_t *self = arg;
    const json_t *quota = store_get(self->store, self->kind, namespace, name);
    if (!quota)
        return;
    json_t *hard = object_at(quota, "spec.hard");
    json_t *copy = object_copy(quota, "");
    json_t *status = json_pack("{s:o}", "used", quota_used(self->store, quota));
    json_object_set_new(status, "hard", hard ? json_deep_copy(hard) : json_object());
    json_object_set_new(copy, "status", status);
    (void)store_update(self->store, self->kind, copy, STORE_STATUS, NULL); /* it is there */
}

static void add(void *arg, json_t *quota)
{
    work_queue_add_object(((quotas_t *)arg)->queue, quota);
}

/* Whatever changes in a namespace may change what is taken of its quotas. */
static void on_change(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    quotas_t *self = arg;
    (void)change;
    (void)old;
    if (kind->is_namespaced && kind != self->event_kind)
        store_each(self->store, self->kind, object_namespace(object), add, self);
}

static void *open_quotas(const controller_deps_t *deps)
{
    quotas_t *self = xcalloc(1, sizeof(*self));
    self->store = deps->store;
    self->kind = kind_find("ResourceQuota");
    self->event_kind = kind_find("Event");
    self->queue = work_queue_new(deps->ev, reconcile, self);
    self->watch = store_watch(deps->store, NULL, on_change, self);
    store_each(deps->store, self->kind, NULL, add, self);
    return self;
}

static void close_quotas(void *arg)
{
    quotas_t *self = arg;
    store_watch_end(&self->watch);
    work_queue_destroy(&self->queue);
    free(self);
}

const controller_kind_t controller_resource_quota = {
    .name = "resourcequota-controller",
    .open = open_quotas,
    .close = close_quotas,
};
