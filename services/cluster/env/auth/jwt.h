/* jwt - JSON Web Tokens signed with a key of our own (RFC 7519; ES256 of RFC 7518, 3.4). */
#ifndef CLUSTER_ENV_AUTH_JWT_H
#define CLUSTER_ENV_AUTH_JWT_H

#include <jansson.h>

typedef struct jwt_key jwt_key_t;

/* A fresh key, that lives as long as the object. */
jwt_key_t *jwt_key_new(void);
void jwt_key_destroy(jwt_key_t **self_p);

/* The signed token, for free(). */
char *jwt_sign(const jwt_key_t *self, const json_t *claims);

/* What a token claims, if this key signed it; a new object, or NULL. */
json_t *jwt_verify(const jwt_key_t *self, const char *token);

#endif
