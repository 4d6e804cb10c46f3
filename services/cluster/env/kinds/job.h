/* job - what Job and CronJob share. */
#ifndef CLUSTER_ENV_KINDS_JOB_H
#define CLUSTER_ENV_KINDS_JOB_H

#include "services/cluster/env/causes.h"

#include <jansson.h>

/* Defaults of a JobSpec, but for its template. */
void job_fill_spec(json_t *spec);

/* Adds what is wrong with a filled JobSpec at prefix ("spec"). */
void job_check_spec(causes_t *causes, const char *prefix, const json_t *spec);

#endif
