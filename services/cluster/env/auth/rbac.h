/* rbac - who may do what, by the roles and bindings in the store. */
#ifndef CLUSTER_ENV_AUTH_RBAC_H
#define CLUSTER_ENV_AUTH_RBAC_H

#include "services/cluster/env/auth/access.h"
#include "services/cluster/env/store.h"

/* Whether it is allowed. *reason_p, for free(), says by which binding, or, of a refusal, which
 * bindings name roles that do not exist; "" if there is nothing to say. */
bool rbac_allows(store_t *store, const user_t *user, const access_t *access, char **reason_p);

/* All rules that a user has in a namespace ("": only those of the whole cluster): a new array of
 * borrowed rules. */
json_t *rbac_rules(store_t *store, const user_t *user, const char *namespace);

/* The role that a binding in a namespace names, borrowed, or NULL if there is none. */
const json_t *rbac_role(store_t *store, const json_t *role_ref, const char *namespace);

#endif
