/* ClusterRoles with an aggregationRule: their rules follow those of the roles that they gather. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/auth/aggregate.h"
#include "services/cluster/env/controllers/controller.h"
#include "services/cluster/env/controllers/work_queue.h"
#include "services/cluster/env/object.h"

typedef struct cluster_roles {
    store_t *store;
    const kind_t *kind;
    work_queue_t *queue;
    store_watch_t *watch;
} cluster_roles_t;

static void reconcile(void *arg, const char *namespace, const char *name)
{
    cluster_roles_t *self = arg;
    (void)namespace;
    const json_t *role = store_get(self->store, self->kind, NULL, name);
    if (!role || !json_is_object(json_object_get(role, "aggregationRule")))
        return;
    json_auto_t *rules = aggregate_rules(self->store, role);
    json_t *present = json_object_get(role, "rules");
    if (json_array_size(rules) == json_array_size(present)
        && (!json_array_size(rules) || json_equal(rules, present)))
        return;
    json_t *changed = object_copy(role, "metadata");
    json_object_set(changed, "rules", rules);
    (void)store_update(self->store, self->kind, changed, STORE_SPEC, NULL); /* it is as just read */
}

static void add_aggregated(void *arg, json_t *role)
{
    cluster_roles_t *self = arg;
    if (json_is_object(json_object_get(role, "aggregationRule")))
        work_queue_add(self->queue, "", object_name(role));
}

/* Any role may be part of any: there are few of them, and they seldom change. */
static void on_change(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    cluster_roles_t *self = arg;
    (void)change;
    (void)object;
    (void)old;
    store_each(self->store, kind, NULL, add_aggregated, self);
}

static void *open_cluster_roles(const controller_deps_t *deps)
{
    cluster_roles_t *self = xcalloc(1, sizeof(*self));
    self->store = deps->store;
    self->kind = kind_find("ClusterRole");
    self->queue = work_queue_new(deps->ev, reconcile, self);
    self->watch = store_watch(deps->store, self->kind, on_change, self);
    return self;
}

static void close_cluster_roles(void *arg)
{
    cluster_roles_t *self = arg;
    store_watch_end(&self->watch);
    work_queue_destroy(&self->queue);
    free(self);
}

const controller_kind_t controller_cluster_roles = {
    .name = "clusterrole-aggregation-controller",
    .open = open_cluster_roles,
    .close = close_cluster_roles,
};
