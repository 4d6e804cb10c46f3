/* snapshot - what there is in an environment, so that two moments can be compared:
 *   objects  {"Deployment/geo": fingerprint} of what somebody asked for: no status, no bookkeeping
 *   pods     {"geo-5d9c-x2x": restarts}
 *   answers  {"GET /hotels?…": fingerprint}: what users get while the data is there; what they
 *            did not get is {error: why} */
#ifndef EVALUATOR_SNAPSHOT_H
#define EVALUATOR_SNAPSHOT_H

#include "kube/kube.h"

typedef struct snapshot snapshot_t;

/* snapshot is {objects, pods, answers}; borrowed for the call, as is err, which is NULL when all of
 * it could be had. The snapshot may be destroyed from within. */
typedef void(snapshot_fn)(void *arg, const err_t *err, const json_t *snapshot);

/* kube is borrowed. problem as in session.judge: {namespace, load: {url}, expected: {answers}}. */
snapshot_t *snapshot_new(
    ev_t *ev, kube_t *kube, const json_t *problem, snapshot_fn *on_done, void *arg);
void snapshot_destroy(snapshot_t **self_p);

/* Whether every answer was one. */
bool snapshot_is_answered(const json_t *snapshot);

/* What differs: {gone: [name], changed: [name], new: [name], answers_changed: [request],
 * pods_replaced, restarts}. A new reference. */
json_t *snapshot_compare(const json_t *before, const json_t *after);

#endif
