/* rbac_parts - what roles and bindings share. */
#ifndef CLUSTER_ENV_KINDS_RBAC_PARTS_H
#define CLUSTER_ENV_KINDS_RBAC_PARTS_H

#include "services/cluster/env/kind.h"

#define RBAC_GROUP "rbac.authorization.k8s.io"

extern const kind_column_t role_columns[];
extern const kind_column_t binding_columns[];

/* Name and time of creation. */
void role_row(const json_t *object, time_t now, json_t *cells);
/* Checks the rules; those of a namespace cannot be about URLs. */
void role_check(causes_t *causes, const json_t *object, bool is_namespaced);

/* Groups that are left out of roleRef and subjects. */
void binding_fill(store_t *store, json_t *object, const json_t *old);
void binding_check(causes_t *causes, const json_t *object, const json_t *old, bool is_namespaced);
void binding_row(const json_t *object, time_t now, json_t *cells);

#endif
