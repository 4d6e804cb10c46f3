/* rules - what single rules of roles allow, and which of them cover others. */
#ifndef CLUSTER_ENV_AUTH_RULES_H
#define CLUSTER_ENV_AUTH_RULES_H

#include "services/cluster/env/auth/access.h"

/* Whether a PolicyRule allows what is asked for. */
bool rule_allows(const json_t *rule, const access_t *access);

/* What of the wanted rules the owned ones do not cover: simple rules, verbs of the same resource
 * put together; empty if all is covered. */
json_t *rules_missing(const json_t *owned, const json_t *wanted);

/* A rule as Go shows it, `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`; for
 * free(). */
char *rule_text(const json_t *rule);

#endif
