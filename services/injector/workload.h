/* workload - Deployments, StatefulSets and DaemonSets as faults see them. */
#ifndef INJECTOR_WORKLOAD_H
#define INJECTOR_WORKLOAD_H

#include "services/injector/fault.h"

typedef enum {
    WORKLOAD_SWAP, /* until old pods are going, by force where a rollout would keep them, and new
                      ones were tried */
    WORKLOAD_STOP, /* until old pods are going, by force; new ones may not come */
    WORKLOAD_ROLL, /* do not wait, and let the rollout get as far as it gets */
} workload_effect_t;

/* The workload of that name in the fault's namespace, of whichever kind. */
int workload_get(fault_work_t *work, const char *name, json_t **object_p, err_t *err);

/* Borrowed from the workload. */
json_t *workload_pod_spec(const json_t *workload);

/* The container that the parameter "container" names, or the first; NULL with *err. Borrowed. */
json_t *workload_container(const fault_work_t *work, const json_t *workload, err_t *err);

/* What an object's list of that name is, made if it is not there. Borrowed. */
json_t *workload_list(json_t *object, const char *key);

/* As edit_change(), and waits for the effect. */
int workload_change(fault_work_t *work, const json_t *before, const json_t *after,
    workload_effect_t effect, err_t *err);

/* Changes a copy of the workload, whose container is the one of workload_container(). */
typedef int(workload_edit_fn)(fault_work_t *work, json_t *workload, json_t *container, err_t *err);

/* Reads the workload, has it edited, and changes it. */
int workload_edit(fault_work_t *work, const char *name, workload_edit_fn *edit,
    workload_effect_t effect, err_t *err);

/* An edit: the container mounts the claim "NAME-data", NAME being the workload, at the parameter
 * "path". */
int workload_mount_claim(fault_work_t *work, json_t *workload, json_t *container, err_t *err);

/* The alive of such a fault: also over once the claims are bound. */
int workload_claim_is_pending(fault_work_t *work, err_t *err);

/* New pods of the same template, as by `kubectl rollout restart`. */
int workload_restart(fault_work_t *work, const char *name, workload_effect_t effect, err_t *err);

#endif
