/* job_run - one Job with its pods, while the controller looks at it. Private to job*.c.
 *
 * A pod bears a finalizer until it has been counted, so that none is forgotten or counted twice. */
#ifndef CLUSTER_ENV_CONTROLLERS_JOB_RUN_H
#define CLUSTER_ENV_CONTROLLERS_JOB_RUN_H

#include "services/cluster/env/controllers/wall_clock.h"
#include "services/cluster/env/events.h"
#include "services/cluster/env/store.h"

#define JOB_FINALIZER "batch.kubernetes.io/job-tracking"
#define JOB_INDEX     "batch.kubernetes.io/job-completion-index"

typedef struct job_run {
    store_t *store;            /* borrowed */
    const wall_clock_t *clock; /* borrowed */
    json_t *job;               /* a reference */
    json_t *status;            /* what will be put; owned */
    json_t *pods;              /* all that it owns */
    json_t *active;            /* of those, the ones that neither ended nor are going */
    json_t *lost;              /* pods that went before they were counted, or NULL; a reference */
    size_t failed_now;         /* counted in this look */
    size_t succeeded_now;
    char *verdict; /* of the pod failure policy: why the job failed, or NULL */
} job_run_t;

void job_run_init(job_run_t *self, store_t *store, const wall_clock_t *clock, json_t *job);
void job_run_done(job_run_t *self);

bool job_is_indexed(const job_run_t *self);
int64_t job_count(const job_run_t *self, const char *key); /* of the status */
void job_set_count(job_run_t *self, const char *key, int64_t count);

/* ---- job_count.c: what has ended ---------------------------------------------------------- */

/* Whether a pod has not been counted yet. */
bool job_is_uncounted(const json_t *pod);
/* Counts the pods that ended since the last look. */
void job_count_ended(job_run_t *self);
/* Takes the finalizers off what was counted, once the count is stored. */
void job_release_ended(job_run_t *self);
/* Off all the pods of a job that has ended or is gone. */
void job_release_all(store_t *store, const json_t *pods);
/* How often containers were started again in pods that run. */
int64_t job_restarts(const job_run_t *self);

/* ---- job_pods.c: making and taking away --------------------------------------------------- */

/* Makes up to `count` pods; 0, or the store's error after an event. */
int job_create_pods(job_run_t *self, event_source_t source, int64_t count);
/* Takes `count` active pods away, uncounted. */
void job_delete_pods(job_run_t *self, event_source_t source, size_t count);

/* ---- job_finish.c ------------------------------------------------------------------------- */

/* Whether the job has a condition that is True. */
bool job_is(const json_t *job, const char *type);
bool job_is_finished(const json_t *job);

/* Sets a condition in the status; reason and message may be NULL. */
void job_set_condition(
    job_run_t *self, const char *type, const char *status, const char *reason, const char *message);

/* Milliseconds to the deadline, or -1 if there is none. */
int64_t job_deadline_left(const job_run_t *self);

/* Whether the job comes to an end now; if so, says it and takes its pods away. */
bool job_finish(job_run_t *self);

/* ---- job_index.c -------------------------------------------------------------------------- */

/* A pod's completion index, or -1. */
int64_t job_index_of(const json_t *pod);
/* Whether "0-3,7" holds an index. */
bool job_index_has(const char *list, int64_t index);
/* The list with an index added; for free(). */
char *job_index_add(const char *list, int64_t index);

/* ---- job_policy.c ------------------------------------------------------------------------- */

/* What the failure policy says of a failed pod: "Count", "Ignore", "FailJob"; with the latter also
 * why, for free(). */
const char *job_policy_action(const json_t *job, const json_t *pod, char **why_p);

#endif
