/* review - kinds that are answered and not kept: who am I, may I, may they, whose token is this. */
#ifndef CLUSTER_ENV_API_REVIEW_H
#define CLUSTER_ENV_API_REVIEW_H

#include "services/cluster/env/api/api_internal.h"

typedef struct review {
    const char *group; /* all are of version v1 */
    const char *plural;
    const char *singular;
    const char *kind;
    const char *type; /* in the schema's table */
    bool is_namespaced;
    /* The status, or NULL if the request was answered. */
    json_t *(*answer)(api_t *api, request_t *request, json_t *body, const access_t *access);
} review_t;

/* All of them; NULL past the end. */
const review_t *review_at(size_t i);
/* The one of a kind's name, or NULL. */
const review_t *review_find(const char *kind);

#endif
