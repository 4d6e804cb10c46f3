/* subresources - what discovery lists below a kind. */
#ifndef CLUSTER_ENV_API_SUBRESOURCES_H
#define CLUSTER_ENV_API_SUBRESOURCES_H

#include "services/cluster/env/kind.h"

typedef struct subresource {
    const char *kind;
    const char *name;
    const char *verbs;
    const char *response_kind;
    const char *group; /* of that kind */
} subresource_t;

/* Calls add for each of a kind; status and scale are the last. */
void subresources_each(const kind_t *kind,
    void (*add)(void *arg, const kind_t *kind, const subresource_t *subresource), void *arg);

#endif
