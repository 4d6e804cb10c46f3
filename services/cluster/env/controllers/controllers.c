#include "services/cluster/env/controllers/controllers.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/controller.h"

static const controller_kind_t *const kinds[] = {
    &controller_autoscaler,
    &controller_cluster_roles,
    &controller_cron_job,
    &controller_custom_resources,
    &controller_daemon_set,
    &controller_deployment,
    &controller_disruption,
    &controller_endpoints,
    &controller_garbage_collector,
    &controller_job,
    &controller_namespace,
    &controller_node_lifecycle,
    &controller_persistent_volume,
    &controller_replica_set,
    &controller_resource_quota,
    &controller_scheduler,
    &controller_stateful_set,
};

struct controllers {
    char *ca_pem;
    void *opened[ARRAY_SIZE(kinds)];
};

controllers_t *controllers_new(ev_t *ev, store_t *store, usage_t *usage, const char *ca_pem)
{
    controllers_t *self = xcalloc(1, sizeof(*self));
    self->ca_pem = xstrdup(ca_pem ? ca_pem : "");
    controller_deps_t deps = {.ev = ev, .store = store, .usage = usage, .ca_pem = self->ca_pem};
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        self->opened[i] = kinds[i]->open(&deps);
    return self;
}

void controllers_destroy(controllers_t **self_p)
{
    controllers_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        kinds[i]->close(self->opened[i]);
    free(self->ca_pem);
    free(self);
}
