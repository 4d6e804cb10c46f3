/* pod - the workload that makes the load, as a Kubernetes object. */
#ifndef LOADGEN_POD_H
#define LOADGEN_POD_H

#include "proto/messages.h"

#define POD_NAMESPACE "default"
#define POD_LABELS    "job-name=wrk2-job"

enum { POD_NAME_SIZE = 32, POD_GRACE_S = 3 };

/* "wrk2-job-x7k2p", as a Job's controller would have named it. */
void pod_name(char name_p[POD_NAME_SIZE]);

/* A new reference. */
json_t *pod_manifest(const char *name, const load_start_t *plan);

/* Whether its container runs or has run, so that it has a log. */
bool pod_has_log(const json_t *pod);

/* Whether its container has ended. */
bool pod_is_over(const json_t *pod);

/* Why it does not run, or how it ended, as Kubernetes says it; new memory, for free(). */
char *pod_trouble(const json_t *pod);

#endif
