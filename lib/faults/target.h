/* target - what a fault is to strike, as somebody wrote it:
 *
 *     geo                  the one of that name
 *     label:app=geo,tier=x all with these labels
 *     role:database        all whose label app.kubernetes.io/component is this
 *     random               any one, by the seed; random:role:cache and random:label:app=geo: of
 * those */
#ifndef FAULTS_TARGET_H
#define FAULTS_TARGET_H

#include "base/err.h"

#include <stdbool.h>

#define TARGET_ROLE_LABEL "app.kubernetes.io/component"

typedef struct target {
    bool is_random;
    char *name;   /* NULL: by labels */
    char *labels; /* a label selector; "" for all; NULL: by name */
} target_t;

/* Fills *target, for target_done(). */
int target_parse(const char *text, target_t *target, err_t *err);
void target_done(target_t *target);

#endif
