/* query - what a list or watch request selects. */
#ifndef CLUSTER_ENV_API_QUERY_H
#define CLUSTER_ENV_API_QUERY_H

#include "services/cluster/env/api/api_internal.h"
#include "services/cluster/env/selector.h"

typedef struct query {
    selector_t *labels;
    selector_t *fields;
    const char *name; /* the only name that can match, or NULL; inside fields or the target */
} query_t;

/* Reads labelSelector and fieldSelector; a name in target counts as metadata.name=NAME. False if
 * the request was answered with what is wrong. *query is for query_done() either way. */
bool query_init(query_t *query, request_t *request, const target_t *target);
void query_done(query_t *query);

bool query_picks(const query_t *query, const json_t *object);

#endif
