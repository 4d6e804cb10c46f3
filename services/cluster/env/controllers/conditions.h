/* conditions - setting a status condition as the workload controllers do. */
#ifndef CLUSTER_ENV_CONTROLLERS_CONDITIONS_H
#define CLUSTER_ENV_CONTROLLERS_CONDITIONS_H

#include <jansson.h>
#include <stdbool.h>

typedef struct condition {
    const char *type;
    const char *status;
    const char *reason;
    const char *message;
    bool has_update_time; /* Deployment's conditions have lastUpdateTime */
} condition_t;

/* Sets a condition in an array of them (a copy of the caller's). One of the same status and reason
 * is left as it is; one of the same status keeps its lastTransitionTime. Returns whether anything
 * changed. */
bool condition_set(json_t *conditions, condition_t condition);

/* Takes a condition away, if it is there. */
void condition_remove(json_t *conditions, const char *type);

/* The condition of a type, borrowed, or NULL. */
json_t *condition_find(const json_t *conditions, const char *type);

#endif
