/* kind - what the server knows about one kind of object.
 *
 * A kind is one file in kinds/ with one const struct, and one line in the table of kind.c. The
 * store, the HTTP API, discovery, tables, defaults and validation all read from here. */
#ifndef CLUSTER_ENV_KIND_H
#define CLUSTER_ENV_KIND_H

#include "base/err.h"
#include "services/cluster/env/causes.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

typedef struct store store_t;
typedef struct custom_kind custom_kind_t;

/* One column of the server-printed table. */
typedef struct kind_column {
    const char *name;
    const char *type;   /* "string", "integer" or "date" */
    const char *format; /* "name" or "" */
    int priority;       /* 1: only with -o wide */
} kind_column_t;

typedef struct kind {
    const char *name;               /* "Pod" */
    const char *group;              /* "" for the core group */
    const char *version;            /* "v1" */
    const char *plural;             /* "pods" */
    const char *singular;           /* "pod" */
    const char *type;               /* in the schema's table, "core/v1.Pod" */
    const char *const *short_names; /* NULL-terminated, or NULL */
    const char *const *categories;  /* NULL-terminated, or NULL */
    const char *const *fields;      /* field selectors beside metadata.{name,namespace} */
    bool is_namespaced;
    bool has_status;              /* has a status subresource */
    bool has_scale;               /* has a scale subresource */
    bool has_generation;          /* counts changes of anything but metadata and status */
    const kind_column_t *columns; /* ends with a NULL name */
    const custom_kind_t *custom;  /* what a CustomResourceDefinition says; NULL: built in */

    /* Fills in what a real server does: defaults, and for a new object (old is NULL) what it
     * allocates. object may be changed in place down to the last value. May be NULL. */
    void (*fill)(store_t *store, json_t *object, const json_t *old);
    /* Admission of a new, filled object: completes it, or refuses it with -ERR_FORBIDDEN. May be
     * NULL. */
    int (*admit)(store_t *store, json_t *object, err_t *err);
    /* Adds what is wrong with a filled object; old is NULL on create. May be NULL. */
    void (*validate)(const json_t *object, const json_t *old, causes_t *causes);
    /* Adds what is wrong with it beside the other objects of the store: what is taken. May be NULL.
     */
    void (*check_taken)(store_t *store, const json_t *object, causes_t *causes);
    /* Appends the cells of one table row. May be NULL: name and age only. */
    void (*row)(const json_t *object, time_t now, json_t *cells);
} kind_t;

/* Whether it is the built-in kind of that name: a custom one may have the same. */
bool kind_is(const kind_t *kind, const char *name);

/* What validate and row do, for built-in and custom kinds alike. */
void kind_validate(const kind_t *kind, const json_t *object, const json_t *old, causes_t *causes);
void kind_row(const kind_t *kind, const json_t *object, time_t now, json_t *cells);

/* The built-in kind by its name ("Pod"), by group and plural ("apps", "deployments"), by apiVersion
 * and kind ("apps/v1", "Deployment"); NULL when the server does not have it. */
const kind_t *kind_find(const char *name);
const kind_t *kind_find_resource(const char *group, const char *plural);
const kind_t *kind_find_type(const char *api_version, const char *name);

/* All built-in kinds in the order of discovery; NULL past the end. */
const kind_t *kind_at(size_t i);

/* The kind's place in that order. */
size_t kind_index(const kind_t *kind);

/* "v1" or "apps/v1"; the kind's. */
const char *kind_api_version(const kind_t *kind);

/* "deployments.apps" or "pods", as error messages name it; the kind's. */
const char *kind_qualified(const kind_t *kind);

#endif
