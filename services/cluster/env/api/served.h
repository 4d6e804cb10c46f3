/* served - kinds in the versions in which they are served. */
#ifndef CLUSTER_ENV_API_SERVED_H
#define CLUSTER_ENV_API_SERVED_H

#include "services/cluster/env/api/api_internal.h"

typedef struct served {
    const char *group;
    const char *version;
    const kind_t *kind;
    const char *type; /* of that version, in the table of fields */
} served_t;

typedef void(served_fn)(void *arg, const served_t *served);

/* Calls fn for each kind in each version, the preferred one first. */
void served_each(const store_t *store, served_fn *fn, void *arg);

/* An object in the version of a request: a new reference to it, or to a copy. */
json_t *served_object(const kind_t *served, json_t *object);
/* The same as text, added to out. */
void served_text(buffer_t *out, const kind_t *served, version_t *version);

#endif
