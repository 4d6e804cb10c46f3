/* Role: what may be done in one namespace. */
#include "services/cluster/env/kinds/kinds.h"
#include "services/cluster/env/kinds/rbac_parts.h"

static void validate(const json_t *object, const json_t *old, causes_t *causes)
{
    (void)old;
    role_check(causes, object, true);
}

const kind_t kind_role = {
    .name = "Role",
    .group = RBAC_GROUP,
    .version = "v1",
    .plural = "roles",
    .singular = "role",
    .type = "rbac/v1.Role",
    .is_namespaced = true,
    .columns = role_columns,
    .validate = validate,
    .row = role_row,
};
