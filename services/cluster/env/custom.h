/* custom - the kinds that CustomResourceDefinitions define.
 *
 * The store keeps one custom_t for each definition it has ever had. Kinds stay where they are as
 * long as the store lives, because its history and open watches point to them: a changed definition
 * changes its kinds, a deleted one leaves them behind, and one of the same name takes them over.
 *
 * A definition has a kind for each of its versions, and one in the form in which objects are
 * stored: that is the one that the store knows. */
#ifndef CLUSTER_ENV_CUSTOM_H
#define CLUSTER_ENV_CUSTOM_H

#include "services/cluster/env/causes.h"
#include "services/cluster/env/kind.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct custom custom_t;

/* What a custom object's kind has beside what every kind has. */
struct custom_kind {
    kind_t kind;
    custom_t *definition; /* borrowed */
    char *version;
    char *api_version; /* "example.com/v1" */
    char *qualified;   /* "foos.example.com" */
    bool is_served;    /* not so of the stored form */
    bool is_deprecated;
    const json_t *schema;  /* openAPIV3Schema, borrowed from the definition; NULL: anything goes */
    const json_t *scale;   /* subresources.scale, likewise; or NULL */
    const json_t *printed; /* additionalPrinterColumns, likewise; or NULL */
    kind_column_t *columns;
};

/* Reads a CustomResourceDefinition into self, which may be NULL: a new one. Returns it. */
custom_t *custom_read(custom_t *self, json_t *definition);
/* The definition is gone. */
void custom_leave(custom_t *self);
void custom_destroy(custom_t **self_p);

/* "foos.example.com" */
const char *custom_name(const custom_t *self);
/* Whether its objects are served: the definition is there and Established. */
bool custom_is_live(const custom_t *self);
/* Whether the definition is being deleted: no new objects. */
bool custom_is_leaving(const custom_t *self);
/* The kind in the form in which objects are stored. */
const kind_t *custom_stored(const custom_t *self);

/* Of a custom object's kind: the same in a version that is served, or NULL. */
const kind_t *custom_served(const kind_t *kind, const char *version);
/* The versions that are served, the most stable and newest first; NULL past the last. */
const kind_t *custom_served_at(const kind_t *kind, size_t i);

/* Takes out of an object what its schema does not know, says so in unknown, and fills in defaults.
 */
void custom_shape(const kind_t *kind, json_t *object, json_t *unknown);
void custom_validate(const kind_t *kind, const json_t *object, causes_t *causes);
void custom_row(const kind_t *kind, const json_t *object, time_t now, json_t *cells);

#endif
