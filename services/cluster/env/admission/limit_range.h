/* limit_range - LimitRanges: what containers, pods and claims may ask for, and what they are taken
 * to ask for when they say nothing (plugin/pkg/admission/limitranger). */
#ifndef CLUSTER_ENV_ADMISSION_LIMIT_RANGE_H
#define CLUSTER_ENV_ADMISSION_LIMIT_RANGE_H

#include "services/cluster/env/store.h"

/* Gives the containers of a new pod the requests and limits that are its namespace's defaults, and
 * notes that in an annotation. Changes the pod in place. */
void limit_range_fill(store_t *store, json_t *pod);

/* Refuses a new pod, or a new or changed claim, that asks for too much or too little, with
 * -ERR_FORBIDDEN. */
int limit_range_admit(
    store_t *store, const kind_t *kind, const json_t *object, const json_t *old, err_t *err);

#endif
