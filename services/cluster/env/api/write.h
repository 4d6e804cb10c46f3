/* write - storing what a request has made, with validation, dry run and answer. */
#ifndef CLUSTER_ENV_API_WRITE_H
#define CLUSTER_ENV_API_WRITE_H

#include "services/cluster/env/api/api_internal.h"

/* Stores a new object (taken) and answers 201. */
void write_new(api_t *self, request_t *request, const target_t *target, json_t *object);

/* Stores a changed object (taken) and answers 200. */
void write_change(
    api_t *self, request_t *request, const target_t *target, json_t *object, store_part_t part);

#endif
