/* revisions - the ControllerRevisions of a StatefulSet or DaemonSet: its templates, by number. */
#ifndef CLUSTER_ENV_CONTROLLERS_REVISIONS_H
#define CLUSTER_ENV_CONTROLLERS_REVISIONS_H

#include "services/cluster/env/store.h"

/* Those of owner, claimed, the oldest revision first; a new array. */
json_t *revisions_of(store_t *store, const json_t *owner);

/* The revision with owner's present template, made or made the newest if need be; a new reference,
 * or NULL if it could not be stored. hash_label is where its hash is written. *collisions_p is
 * raised when its name was taken by another template. */
json_t *revisions_ensure(
    store_t *store, const json_t *owner, const char *hash_label, int64_t *collisions_p);

/* Deletes the oldest past spec.revisionHistoryLimit that are not in live, an object with their
 * names as keys. */
void revisions_trim(store_t *store, const json_t *owner, const json_t *live);

/* The template of a revision; a new reference. */
json_t *revision_template(const json_t *revision);

#endif
