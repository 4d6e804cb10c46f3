/* account_secrets - Secrets of type kubernetes.io/service-account-token, made by hand for tokens
 * that do not expire: the token is filled in, and they go with their ServiceAccount. */
#ifndef CLUSTER_ENV_AUTH_ACCOUNT_SECRETS_H
#define CLUSTER_ENV_AUTH_ACCOUNT_SECRETS_H

#include "services/cluster/env/auth/tokens.h"
#include "services/cluster/env/store.h"

typedef struct account_secrets account_secrets_t;

/* Both are borrowed; ca_pem is copied. */
account_secrets_t *account_secrets_new(store_t *store, tokens_t *tokens, const char *ca_pem);
void account_secrets_destroy(account_secrets_t **self_p);

#endif
