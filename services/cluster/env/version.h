/* version - one immutable state of an object, with its JSON text made once for all readers.
 *
 * Private to the store and the API server. */
#ifndef CLUSTER_ENV_VERSION_H
#define CLUSTER_ENV_VERSION_H

#include "services/cluster/env/store.h"

#include <jansson.h>
#include <stdint.h>

typedef struct version {
    unsigned refs;
    uint64_t number;       /* its resource version */
    json_t *object;        /* owned */
    const char *namespace; /* inside object */
    const char *name;      /* inside object */
    char *text;            /* made on demand */
    size_t size;
} version_t;

/* Takes object. */
version_t *version_new(json_t *object, uint64_t number);
version_t *version_ref(version_t *self);
void version_unref(version_t **self_p);

/* The object as compact JSON, borrowed. */
const char *version_text(version_t *self, size_t *size_p);

/* One change in the store's history. */
typedef struct store_event {
    uint64_t number;
    store_change_t change;
    const kind_t *kind;
    version_t *version; /* the state after; of a deletion, the last */
    version_t *old;     /* the state before, or NULL */
} store_event_t;

/* The first change after a resource version, borrowed until the store changes, or NULL if there is
 * none yet. The version must not be older than store_oldest(). */
const store_event_t *store_event_after(const store_t *self, uint64_t number);

/* The oldest resource version after which the history is complete. */
uint64_t store_oldest(const store_t *self);

/* The version of one object, borrowed, or NULL. */
version_t *store_version_of(
    store_t *self, const kind_t *kind, const char *namespace, const char *name);

/* The versions of a kind, in one namespace or in all (NULL), in order: a new array of references;
 * give it back with store_versions_free(). */
version_t **store_versions(
    store_t *self, const kind_t *kind, const char *namespace, size_t *count_p);
/* The same as they were at an earlier resource version, which must not be older than
 * store_oldest(). */
version_t **store_versions_at(
    store_t *self, const kind_t *kind, const char *namespace, uint64_t number, size_t *count_p);
void store_versions_free(version_t **versions, size_t count);

/* ---- changes in two steps, for validation and dry runs in between -------------------------- */

/* What store_create() would store: object (taken) with everything that a server sets. */
int store_prepare_new(
    store_t *self, const kind_t *kind, json_t *object, json_t **next_p, err_t *err);

/* What store_update() would store; NULL if nothing changes. */
int store_prepare_change(store_t *self, const kind_t *kind, json_t *object, store_part_t part,
    json_t **next_p, err_t *err);

/* Stores what store_prepare_change() gave (taken): the new version, borrowed. Nothing may have
 * changed in between. */
version_t *store_finish_change(store_t *self, const kind_t *kind, json_t *next);

/* Records a change, gives object (taken) the next resource version and puts it in the place of the
 * old version, or, for STORE_DELETED, takes that one away. Returns the new version, borrowed. */
version_t *store_commit(store_t *self, store_change_t change, const kind_t *kind, json_t *object);

#endif
