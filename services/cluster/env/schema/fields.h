/* fields - which fields the API's types have, and how patches merge them. */
#ifndef CLUSTER_ENV_SCHEMA_FIELDS_H
#define CLUSTER_ENV_SCHEMA_FIELDS_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum { SHAPE_ONE, SHAPE_LIST, SHAPE_MAP } field_shape_t;

enum {
    FIELD_OMIT = 1,    /* left out of JSON when zero */
    FIELD_MERGE = 2,   /* patches merge the list instead of replacing it */
    FIELD_RETAIN = 4,  /* patches may say which keys stay */
    FIELD_SET = 8,     /* a list of distinct scalars */
    FIELD_ATOMIC = 16, /* a map that is applied as a whole */
    FIELD_NEED = 32    /* must be there, says the published schema */
};

typedef struct field {
    const char *type;  /* the type that has the field, "core/v1.Pod" */
    const char *name;  /* "" for a type that is inlined in JSON */
    int number;        /* in protobuf */
    const char *value; /* a type, or "string", "int32", "time", "quantity", "any" (an object),
                          "json" (any value), … */
    field_shape_t shape;
    unsigned flags;
    const char *merge_key; /* of strategic merge, or NULL */
    const char *list_keys; /* of server-side apply, comma-separated, or NULL */
} field_t;

/* The field of a type by its JSON name, also one of an inlined type; NULL if there is none. */
const field_t *field_find(const char *type, const char *name);

/* The field of a type by its protobuf number, or NULL. */
const field_t *field_find_number(const char *type, int number);

/* The i-th field of a type in the order of names, where that of an inlined type has none; NULL past
 * the last. */
const field_t *field_at(const char *type, size_t i);

/* Whether the name is that of a type with fields. */
bool field_is_type(const char *type);

/* Checks an object against its type, changing it in place: nulls, unknown fields and
 * what a server leaves out when empty are taken out; what was unknown is added to unknown as
 * 'unknown field "a.b[0].c"'. A value of the wrong type is -ERR_INVALID, in the words of Go's
 * decoder. */
int fields_check(json_t *object, const char *type, json_t *unknown, err_t *err);

#endif
