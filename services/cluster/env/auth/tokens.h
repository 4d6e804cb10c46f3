/* tokens - the tokens of ServiceAccounts: issuing and checking them.
 *
 * A token may be bound to a Pod or a Secret: it is worth nothing once that is gone, as is every
 * token of a ServiceAccount that is gone, even if another of the same name comes. */
#ifndef CLUSTER_ENV_AUTH_TOKENS_H
#define CLUSTER_ENV_AUTH_TOKENS_H

#include "services/cluster/env/auth/user.h"
#include "services/cluster/env/store.h"

#define TOKEN_ISSUER "https://kubernetes.default.svc.cluster.local"

typedef struct tokens tokens_t;

typedef struct token_wish {
    const json_t *account;
    const json_t *bound;     /* a Pod or Secret, or NULL */
    const json_t *audiences; /* strings; NULL or empty: the API server */
    int64_t seconds;
} token_wish_t;

/* With a key of its own. The store is borrowed. */
tokens_t *tokens_new(store_t *store);
void tokens_destroy(tokens_t **self_p);

/* The token, for free(), and, if not NULL, when it expires. */
char *tokens_issue(tokens_t *self, const token_wish_t *wish, time_t *expires_p);

/* What a token says at a time, if it is good for one of the audiences (NULL: the API server): the
 * user is for user_done(). */
bool tokens_check(
    tokens_t *self, const char *token, const json_t *audiences, time_t now, user_t *user_p);

#endif
