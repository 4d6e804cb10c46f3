/* kinds - one const struct for each kind of object; kind.c joins them. */
#ifndef CLUSTER_ENV_KINDS_KINDS_H
#define CLUSTER_ENV_KINDS_KINDS_H

#include "services/cluster/env/kind.h"

extern const kind_t kind_cluster_role;
extern const kind_t kind_cluster_role_binding;
extern const kind_t kind_config_map;
extern const kind_t kind_controller_revision;
extern const kind_t kind_cron_job;
extern const kind_t kind_custom_resource_definition;
extern const kind_t kind_daemon_set;
extern const kind_t kind_deployment;
extern const kind_t kind_endpoint_slice;
extern const kind_t kind_endpoints;
extern const kind_t kind_event;
extern const kind_t kind_horizontal_pod_autoscaler;
extern const kind_t kind_ingress;
extern const kind_t kind_ingress_class;
extern const kind_t kind_job;
extern const kind_t kind_lease;
extern const kind_t kind_limit_range;
extern const kind_t kind_namespace;
extern const kind_t kind_network_policy;
extern const kind_t kind_node;
extern const kind_t kind_persistent_volume;
extern const kind_t kind_persistent_volume_claim;
extern const kind_t kind_pod;
extern const kind_t kind_pod_disruption_budget;
extern const kind_t kind_priority_class;
extern const kind_t kind_replica_set;
extern const kind_t kind_resource_quota;
extern const kind_t kind_role;
extern const kind_t kind_role_binding;
extern const kind_t kind_secret;
extern const kind_t kind_service;
extern const kind_t kind_service_account;
extern const kind_t kind_signing_request;
extern const kind_t kind_stateful_set;
extern const kind_t kind_storage_class;

#endif
