/* lookaside - documents from memcached, and from the database what memcached does not hold. */
#ifndef HOTEL_LOOKASIDE_H
#define HOTEL_LOOKASIDE_H

#include "apps/common/cache.h"
#include "apps/common/store.h"

#include <jansson.h>

typedef struct lookaside {
    app_t *app; /* all borrowed */
    cache_t *cache;
    store_t *store;
    const char *collection;
    const char *cache_suffix; /* of an id, to make the key in memcached; "" for none */
    const char *cache_span;   /* what asking memcached is called in traces */
    const char *store_span;
    const char *absent; /* JSON of an id without document; NULL: such an id has none */
} lookaside_t;

/* Puts the documents with these ids into found, an object, and the ones that were not cached into
 * memcached. Failing servers are errors; but not being able to fill the cache is not. */
int lookaside_find(const lookaside_t *self, const span_t *parent, const char *const *ids,
    size_t id_count, json_t *found, err_t *err);

#endif
