/* pod_security - the Pod Security Standards, by the labels of namespaces
 * (k8s.io/pod-security-admission). */
#ifndef CLUSTER_ENV_ADMISSION_POD_SECURITY_H
#define CLUSTER_ENV_ADMISSION_POD_SECURITY_H

#include "services/cluster/env/causes.h"
#include "services/cluster/env/store.h"

/* Refuses a pod that its namespace's level forbids, with -ERR_FORBIDDEN. What would be forbidden is
 * added to warnings (an array, or NULL): of pods, of the pods that a workload would make, and of
 * those that are there when a namespace gets a stricter level. */
int pod_security_admit(store_t *store, const kind_t *kind, const json_t *object, const json_t *old,
    json_t *warnings, err_t *err);

/* Adds what is wrong with a namespace's labels. */
void pod_security_check_labels(const json_t *namespace, const json_t *old, causes_t *causes);

#endif
