/* authority - whose client certificates an environment's API server believes.
 *
 * Each environment has one of its own, made with it and gone with it: a certificate that one signs
 * is nothing to another. */
#ifndef CLUSTER_ENV_AUTH_AUTHORITY_H
#define CLUSTER_ENV_AUTH_AUTHORITY_H

#include "base/err.h"

#include <stdint.h>

typedef struct authority authority_t;

authority_t *authority_new(void);
void authority_destroy(authority_t **self_p);

/* Its certificate, PEM; borrowed. */
const char *authority_pem(const authority_t *self);

/* A client certificate (PEM, for free()) for who a PEM certificate request says it is; NULL and err
 * if it is no request, or not signed by its own key. */
char *authority_sign(const authority_t *self, const char *request, int64_t seconds, err_t *err);

#endif
