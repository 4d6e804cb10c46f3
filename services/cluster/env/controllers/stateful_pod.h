/* stateful_pod - the identity of a StatefulSet's pods: names, labels and claims by ordinal.
 * Private to stateful*.c. */
#ifndef CLUSTER_ENV_CONTROLLERS_STATEFUL_POD_H
#define CLUSTER_ENV_CONTROLLERS_STATEFUL_POD_H

#include "services/cluster/env/events.h"
#include "services/cluster/env/store.h"

/* The ordinal of a pod by its name, or -1 if it is none of the set's. */
int64_t stateful_ordinal(const json_t *set, const json_t *pod);

/* The set's pod of that ordinal, by a revision's template; new. */
json_t *stateful_pod(const json_t *set, const json_t *revision, int64_t ordinal);

/* Makes the pod's claims that are missing. */
int stateful_claims(store_t *store, event_source_t source, const json_t *set, const json_t *pod,
    int64_t ordinal, err_t *err);

/* With whenScaled: Delete, has the pod's claims go with it. */
void stateful_release_claims(store_t *store, const json_t *set, const json_t *pod, int64_t ordinal);

#endif
