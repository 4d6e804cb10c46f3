/* write - storing what a request has made, with validation, dry run and answer. */
#ifndef CLUSTER_ENV_API_WRITE_H
#define CLUSTER_ENV_API_WRITE_H

#include "services/cluster/env/api/api_internal.h"

/* dryRun=All: do everything but store. False, and answered, if the parameter is something else. */
bool write_read_dry_run(request_t *request, bool *is_dry_p);

/* Answers with an object as the target's version has it. */
void write_reply(request_t *request, const target_t *target, int status, version_t *version);

/* Stores a new object (taken) and answers 201. */
void write_new(api_t *self, request_t *request, const target_t *target, json_t *object);

/* Stores a changed object (taken) and answers 200. */
void write_change(
    api_t *self, request_t *request, const target_t *target, json_t *object, store_part_t part);

#endif
