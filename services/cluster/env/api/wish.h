/* wish - what a request wants to do, as far as its method and URL say: it need not be something
 * that there is. */
#ifndef CLUSTER_ENV_API_WISH_H
#define CLUSTER_ENV_API_WISH_H

#include "services/cluster/env/api/request.h"
#include "services/cluster/env/auth/access.h"

enum { WISH_PARTS = 8 };

typedef struct wish {
    access_t access;
    char *parts[WISH_PARTS]; /* of the path, decoded */
    char *verb;              /* of a path that is no resource's, or NULL */
    char *name;              /* that a field selector asks for, or NULL */
} wish_t;

/* Borrows from the request. */
void wish_init(wish_t *self, const request_t *request);
void wish_done(wish_t *self);

#endif
