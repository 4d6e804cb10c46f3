/* api - the Kubernetes API of one environment over HTTPS. */
#ifndef CLUSTER_ENV_API_API_H
#define CLUSTER_ENV_API_API_H

#include "base/err.h"
#include "base/ev.h"
#include "services/cluster/env/api/node_ops.h"
#include "services/cluster/env/auth/tokens.h"
#include "services/cluster/env/store.h"
#include "services/cluster/env/usage.h"

#include <stddef.h>

typedef struct api api_t;

typedef struct api_token {
    const char *token;
    const char *user;
    const char *const *groups; /* beside system:authenticated; ends with NULL; may be NULL */
} api_token_t;

typedef struct api_config {
    const char *cert_pem; /* certificate (chain) and key; NULL: plain HTTP, for tests */
    const char *key_pem;
    const char *client_ca_pem; /* whose certificates clients may show; NULL: nobody's */
    const api_token_t *tokens; /* NULL: everybody may do everything, for tests */
    size_t token_count;
    tokens_t *account_tokens; /* of ServiceAccounts; borrowed, may be NULL: there are none */
    const int *listen_fds;    /* bound and listening sockets; the API closes them */
    size_t listen_count;
    const node_ops_t *node; /* may be NULL: logs, exec and proxies answer 503 */
    void *node_arg;
    usage_t *usage; /* borrowed; NULL: no metrics.k8s.io */
} api_config_t;

/* Starts to serve. Everything in config is copied but what is said to be borrowed, and node's table
 * and argument. */
api_t *api_new(ev_t *ev, store_t *store, const api_config_t *config, err_t *err);
void api_destroy(api_t **self_p);

#endif
