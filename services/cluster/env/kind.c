/* The table of kinds, in the order in which discovery shows them. */
#include "services/cluster/env/kind.h"

#include "services/cluster/env/custom.h"
#include "services/cluster/env/kinds/kinds.h"

#include "base/auto.h"

#include <stdio.h>
#include <string.h>

static const kind_t *const kinds[] = {
    &kind_config_map,
    &kind_endpoints,
    &kind_event,
    &kind_limit_range,
    &kind_namespace,
    &kind_node,
    &kind_persistent_volume_claim,
    &kind_persistent_volume,
    &kind_pod,
    &kind_resource_quota,
    &kind_secret,
    &kind_service,
    &kind_service_account,
    &kind_controller_revision,
    &kind_daemon_set,
    &kind_deployment,
    &kind_replica_set,
    &kind_stateful_set,
    &kind_horizontal_pod_autoscaler,
    &kind_cron_job,
    &kind_job,
    &kind_lease,
    &kind_signing_request,
    &kind_ingress_class,
    &kind_ingress,
    &kind_network_policy,
    &kind_custom_resource_definition,
    &kind_cluster_role,
    &kind_cluster_role_binding,
    &kind_role,
    &kind_role_binding,
    &kind_endpoint_slice,
    &kind_storage_class,
    &kind_pod_disruption_budget,
    &kind_priority_class,
};

enum { KIND_COUNT = ARRAY_SIZE(kinds), NAME_SIZE = 96 };

const kind_t *kind_at(size_t i)
{
    return i < KIND_COUNT ? kinds[i] : NULL;
}

size_t kind_index(const kind_t *kind)
{
    size_t i = 0;
    while (kinds[i] != kind)
        i++;
    return i;
}

const kind_t *kind_find(const char *name)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (!strcmp(kinds[i]->name, name))
            return kinds[i];
    }
    return NULL;
}

const kind_t *kind_find_resource(const char *group, const char *plural)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (!strcmp(kinds[i]->group, group) && !strcmp(kinds[i]->plural, plural))
            return kinds[i];
    }
    return NULL;
}

const kind_t *kind_find_type(const char *api_version, const char *name)
{
    const kind_t *kind = kind_find(name);
    return kind && !strcmp(kind_api_version(kind), api_version) ? kind : NULL;
}

const char *kind_api_version(const kind_t *kind)
{
    static char names[KIND_COUNT][NAME_SIZE];
    if (kind->custom)
        return kind->custom->api_version;
    char *name = names[kind_index(kind)];
    if (!*kind->group)
        return kind->version;
    if (!*name)
        snprintf(name, NAME_SIZE, "%s/%s", kind->group, kind->version);
    return name;
}

const char *kind_qualified(const kind_t *kind)
{
    static char names[KIND_COUNT][NAME_SIZE];
    if (kind->custom)
        return kind->custom->qualified;
    char *name = names[kind_index(kind)];
    if (!*kind->group)
        return kind->plural;
    if (!*name)
        snprintf(name, NAME_SIZE, "%s.%s", kind->plural, kind->group);
    return name;
}

bool kind_is(const kind_t *kind, const char *name)
{
    return !kind->custom && !strcmp(kind->name, name);
}

void kind_validate(const kind_t *kind, const json_t *object, const json_t *old, causes_t *causes)
{
    if (kind->custom)
        custom_validate(kind, object, causes);
    else if (kind->validate)
        kind->validate(object, old, causes);
}

void kind_row(const kind_t *kind, const json_t *object, time_t now, json_t *cells)
{
    if (kind->custom)
        custom_row(kind, object, now, cells);
    else
        kind->row(object, now, cells);
}
