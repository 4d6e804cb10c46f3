/* RoleBinding: who has a role in one namespace. */
#include "services/cluster/env/kinds/kinds.h"
#include "services/cluster/env/kinds/rbac_parts.h"

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    binding_check(causes, object, old, true);
}

const kind_t kind_role_binding = {
    .name = "RoleBinding",
    .group = RBAC_GROUP,
    .version = "v1",
    .plural = "rolebindings",
    .singular = "rolebinding",
    .type = "rbac/v1.RoleBinding",
    .is_namespaced = true,
    .columns = binding_columns,
    .fill = binding_fill,
    .validate = validate,
    .row = binding_row,
};
