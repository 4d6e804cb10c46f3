/* owned - the objects that another one controls.
 *
 * Both workload controllers claim alike: what bears the owner's uid is theirs unless its labels no
 * longer match (it is let go), and what matches and belongs to nobody is adopted. */
#ifndef CLUSTER_ENV_CONTROLLERS_OWNED_H
#define CLUSTER_ENV_CONTROLLERS_OWNED_H

#include "services/cluster/env/store.h"

/* A new array of the objects of a kind that owner controls, in order of creation; with claiming
 * unless the owner is being deleted. */
json_t *owned_claim(store_t *store, const kind_t *kind, const json_t *owner);

/* The name of an object's controller if that is of the given kind, else NULL; borrowed. */
const char *owned_by(const json_t *object, const char *kind);

/* Calls fn for every object of `kind` in namespace that could own an orphan with these labels. */
void owned_each_match(store_t *store, const kind_t *kind, const json_t *orphan,
    void (*fn)(void *arg, json_t *owner), void *arg);

#endif
