/* controller - what a controller is made of. Private to this folder.
 *
 * A controller is one file with one const controller_kind_t, and one line in the table of
 * controllers.c. */
#ifndef CLUSTER_ENV_CONTROLLERS_CONTROLLER_H
#define CLUSTER_ENV_CONTROLLERS_CONTROLLER_H

#include "services/cluster/env/store.h"
#include "services/cluster/env/usage.h"

typedef struct controller_deps {
    ev_t *ev;           /* borrowed */
    store_t *store;     /* borrowed */
    usage_t *usage;     /* borrowed */
    const char *ca_pem; /* borrowed from controllers_t */
} controller_deps_t;

typedef struct controller_kind {
    const char *name; /* as in the source of its events */
    void *(*open)(const controller_deps_t *deps);
    void (*close)(void *self);
} controller_kind_t;

extern const controller_kind_t controller_autoscaler;
extern const controller_kind_t controller_cluster_roles;
extern const controller_kind_t controller_cron_job;
extern const controller_kind_t controller_custom_resources;
extern const controller_kind_t controller_daemon_set;
extern const controller_kind_t controller_deployment;
extern const controller_kind_t controller_disruption;
extern const controller_kind_t controller_endpoints;
extern const controller_kind_t controller_garbage_collector;
extern const controller_kind_t controller_job;
extern const controller_kind_t controller_namespace;
extern const controller_kind_t controller_node_lifecycle;
extern const controller_kind_t controller_persistent_volume;
extern const controller_kind_t controller_replica_set;
extern const controller_kind_t controller_resource_quota;
extern const controller_kind_t controller_scheduler;
extern const controller_kind_t controller_stateful_set;

#endif
