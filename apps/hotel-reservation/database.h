/* database - what the hotel services do with their stores: open, fill, read whole.
 *
 * A collection of the original is a hash: the key is "<database>.<collection>", a field is the id
 * of a document, its value the document in JSON. */
#ifndef HOTEL_DATABASE_H
#define HOTEL_DATABASE_H

#include "apps/common/store.h"

#include <jansson.h>

/* What is asked of each document; it is only lent. Returns 0 or a negative code that ends the
 * reading. */
typedef int(database_read_fn)(void *arg, const char *id, const json_t *document, err_t *err);

/* Opens the store of "geo": $MONGODB_GEO_ADDRESS, else usual_address, as user admin ($DB_USER,
 * $DB_PASSWORD), waiting up to $DB_WAIT_MS, else three seconds, for it to be there. */
store_t *database_open(app_t *app, const char *name, const char *usual_address, err_t *err);

/* Writes the object's members into a collection, in one command, over what is there. */
int database_fill(store_t *store, const char *collection, json_t *documents, err_t *err);

/* Reads the whole collection, in any order. */
int database_read(
    store_t *store, const char *collection, database_read_fn *on_document, void *arg, err_t *err);

/* Puts the documents with these ids into found, an object; ids that have none are left out. */
int database_find(store_t *store, const char *collection, const char *const *ids, size_t id_count,
    json_t *found, err_t *err);

#endif
