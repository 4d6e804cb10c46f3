/* causes - what is wrong with an object, field by field, in a real API server's words. */
#ifndef CLUSTER_ENV_CAUSES_H
#define CLUSTER_ENV_CAUSES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* An array of {reason, message, field}, as in Status.details.causes. */
typedef struct causes {
    json_t *list;
} causes_t;

void causes_init(causes_t *self);
void causes_done(causes_t *self);
bool causes_is_empty(const causes_t *self);

/* Required value[: detail]. detail may be NULL. */
void causes_required(causes_t *self, const char *field, const char *detail);
/* Invalid value: <value>: detail. value may be NULL, shown as null. */
void causes_invalid(causes_t *self, const char *field, const json_t *value, const char *detail);
/* The same with the value as it is to be shown. */
void causes_invalid_text(causes_t *self, const char *field, const char *shown, const char *detail);
/* Invalid value: "<type>": detail, of a value of a wrong type. */
void causes_wrong_type(causes_t *self, const char *field, const char *type, const char *detail);
/* Too long: may not be longer than <most> */
void causes_too_long(causes_t *self, const char *field, int64_t most);
/* Too many: <count>: must have at most <most> items */
void causes_too_many(causes_t *self, const char *field, int64_t count, int64_t most);
/* Forbidden: detail. */
void causes_forbidden(causes_t *self, const char *field, const char *detail);
/* Duplicate value: <value>. */
void causes_duplicate(causes_t *self, const char *field, const json_t *value);
/* Not found: <value>. */
void causes_not_found(causes_t *self, const char *field, const json_t *value);
/* Unsupported value: <value>: supported values: "a", "b". supported ends with NULL. */
void causes_unsupported(
    causes_t *self, const char *field, const json_t *value, const char *const *supported);

/* "field: message", or "[a, b]" of several; for free(). */
char *causes_text(const causes_t *self);

#endif
