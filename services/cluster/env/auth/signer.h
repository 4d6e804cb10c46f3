/* signer - issues the certificates of approved CertificateSigningRequests. */
#ifndef CLUSTER_ENV_AUTH_SIGNER_H
#define CLUSTER_ENV_AUTH_SIGNER_H

#include "services/cluster/env/auth/authority.h"
#include "services/cluster/env/store.h"

typedef struct signer signer_t;

/* Both are borrowed. */
signer_t *signer_new(store_t *store, const authority_t *authority);
void signer_destroy(signer_t **self_p);

#endif
