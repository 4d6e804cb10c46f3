/* apply - server-side apply: who set which field, and what happens when two disagree.
 *
 * An object has managedFields from the first time it is applied on the server. From then on every
 * change is noted there; an object that nobody applied so has none, and when somebody does, its
 * present fields count as "kubectl-client-side-apply"'s, as far as kubectl's annotation says so,
 * and otherwise as "before-first-apply"'s, as on a real server. */
#ifndef CLUSTER_ENV_API_APPLY_H
#define CLUSTER_ENV_API_APPLY_H

#include "services/cluster/env/api/api_internal.h"

/* PATCH with application/apply-patch+yaml. */
void apply_handle(api_t *api, request_t *request, const target_t *target);

/* Notes in object's managedFields, if old has any, which fields manager (may be NULL) changes. */
void managed_note_change(
    const kind_t *kind, const json_t *old, json_t *object, const char *manager);

#endif
