/* store_internal - what store.c shares with store_write.c. */
#ifndef CLUSTER_ENV_STORE_INTERNAL_H
#define CLUSTER_ENV_STORE_INTERNAL_H

#include "services/cluster/env/custom.h"
#include "services/cluster/env/random.h"
#include "services/cluster/env/version.h"

enum { HISTORY_SIZE = 2048 /* changes kept for watches to be taken up again */ };

/* The objects of one kind, sorted by namespace and name. */
typedef struct collection {
    version_t **versions;
    size_t count;
    size_t capacity;
} collection_t;

struct store {
    ev_t *ev; /* borrowed */
    random_state_t random;
    uint64_t number; /* the last resource version given */
    collection_t *collections;
    size_t collection_count;
    custom_t **customs; /* every definition that there ever was */
    collection_t **custom_collections;
    size_t custom_count;
    store_event_t *history;  /* a ring: change n is at n % history_capacity */
    size_t history_capacity; /* grows when more happens in one turn than is kept */
    uint64_t oldest;         /* changes after this one are kept */
    uint64_t told;           /* up to where the watchers know */
    int tell_timer;
    store_watch_t *watches; /* newest last */
};

void collection_done(collection_t *self);

/* The objects of a kind. */
collection_t *store_collection(const store_t *self, const kind_t *kind);

/* A CustomResourceDefinition has changed: kinds come and go. */
void store_note_definition(store_t *self, store_change_t change, json_t *definition);
void store_customs_done(store_t *self);

/* The place of an object among its kind; *is_there_p says whether it is taken. */
size_t store_find(
    const collection_t *self, const char *namespace, const char *name, bool *is_there_p);

#endif
