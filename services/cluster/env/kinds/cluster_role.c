/* ClusterRole: what may be done in the cluster, or, by a RoleBinding, in one namespace. */
#include "services/cluster/env/kinds/kinds.h"
#include "services/cluster/env/kinds/rbac_parts.h"

#include "services/cluster/env/object.h"

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    const json_t *selectors = object_at(object, "aggregationRule.clusterRoleSelectors");
    (void)old;
    role_check(causes, object, false);
    if (json_is_object(json_object_get(object, "aggregationRule")) && !json_array_size(selectors))
        causes_required(causes, "aggregationRule.clusterRoleSelectors",
            "at least one clusterRoleSelector required if aggregationRule is non-nil");
}

const kind_t kind_cluster_role = {
    .name = "ClusterRole",
    .group = RBAC_GROUP,
    .version = "v1",
    .plural = "clusterroles",
    .singular = "clusterrole",
    .type = "rbac/v1.ClusterRole",
    .columns = role_columns,
    .validate = validate,
    .row = role_row,
};
