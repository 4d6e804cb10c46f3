/* ClusterRoleBinding: who has a role in the whole cluster. */
#include "services/cluster/env/kinds/kinds.h"
#include "services/cluster/env/kinds/rbac_parts.h"

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    binding_check(causes, object, old, false);
}

const kind_t kind_cluster_role_binding = {
    .name = "ClusterRoleBinding",
    .group = RBAC_GROUP,
    .version = "v1",
    .plural = "clusterrolebindings",
    .singular = "clusterrolebinding",
    .type = "rbac/v1.ClusterRoleBinding",
    .columns = binding_columns,
    .fill = binding_fill,
    .validate = validate,
    .row = binding_row,
};
