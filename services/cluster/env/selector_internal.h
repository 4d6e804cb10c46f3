/* selector_internal - what the parser of selectors shares with their matching. */
#ifndef CLUSTER_ENV_SELECTOR_INTERNAL_H
#define CLUSTER_ENV_SELECTOR_INTERNAL_H

#include "services/cluster/env/selector.h"

typedef enum {
    OP_IN, /* also = and == */
    OP_NOT_IN,
    OP_NOT_EQUAL,
    OP_EXISTS,
    OP_ABSENT,
    OP_GREATER,
    OP_LESS,
} selector_op_t;

typedef struct requirement {
    char *key;
    selector_op_t op;
    json_t *values; /* an array of strings */
} requirement_t;

struct selector {
    requirement_t *requirements;
    size_t count;
};

/* Adds a requirement and returns it; key (taken) may be NULL for now. */
requirement_t *selector_add(selector_t *self, char *key, selector_op_t op);
void requirement_add_value(requirement_t *self, const char *value, size_t length);

#endif
