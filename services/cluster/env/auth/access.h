/* access - what is asked for: a verb on a resource, or on a path that is none. */
#ifndef CLUSTER_ENV_AUTH_ACCESS_H
#define CLUSTER_ENV_AUTH_ACCESS_H

#include "services/cluster/env/auth/user.h"

/* All strings are borrowed; "" where there is none. */
typedef struct access {
    const char *verb;
    const char *path; /* of a request that is not for a resource; NULL for one that is */
    const char *group;
    const char *resource;
    const char *subresource;
    const char *namespace;
    const char *name;
} access_t;

/* `User "x" cannot list resource "pods" in API group "" in the namespace "default"`; for free(). */
char *access_refusal(const access_t *self, const user_t *user);

#endif
