/* rollout - one deployment with its replica sets, while the deployment controller looks at it.
 * Private to deployment*.c and rollout*.c.
 *
 * The rules are those of kube-controller-manager 1.30. */
#ifndef CLUSTER_ENV_CONTROLLERS_ROLLOUT_H
#define CLUSTER_ENV_CONTROLLERS_ROLLOUT_H

#include "services/cluster/env/events.h"
#include "services/cluster/env/store.h"

#define REVISION "deployment.kubernetes.io/revision"

typedef struct rollout {
    store_t *store;     /* borrowed */
    json_t *deployment; /* a reference */
    json_t *sets;       /* all its replica sets, oldest first */
    json_t *current;    /* of those, the one with the deployment's template; borrowed or NULL */
    bool is_timed_out;  /* no progress within the deadline: the controller keeps the time */
} rollout_t;

/* Reads the deployment and claims its sets; false if it is not there. */
bool rollout_init(rollout_t *self, store_t *store, const char *namespace, const char *name);
void rollout_done(rollout_t *self);

/* The same again, after something was changed. */
void rollout_reload(rollout_t *self);

/* ---- rollout.c: numbers ------------------------------------------------------------------- */

int64_t rollout_wanted(const rollout_t *self); /* spec.replicas */
int64_t rollout_max_surge(const rollout_t *self);
int64_t rollout_max_unavailable(const rollout_t *self);
bool rollout_is_rolling(const rollout_t *self); /* else: Recreate */
bool rollout_has_deadline(const rollout_t *self);

int64_t set_wanted(const json_t *set); /* spec.replicas */
/* Sums over all sets, or all but the current. */
int64_t rollout_sum(const rollout_t *self, const char *path, bool with_current);

/* Whether the new template is up everywhere, by the status in *status. */
bool rollout_is_complete(const rollout_t *self, const json_t *status);

/* Puts a set's replicas, with the annotations that scaling goes by; tells it as an event. Returns
 * whether the number changed. */
bool rollout_scale_set(rollout_t *self, json_t *set, int64_t replicas);

/* ---- rollout_revision.c: the current set -------------------------------------------------- */

/* Makes the current set if there is none and is_making; keeps revisions. */
void rollout_ensure_current(rollout_t *self, bool is_making);

/* Deletes old sets past the history limit. */
void rollout_clean_up(rollout_t *self);

/* ---- rollout_steps.c: what to do next ----------------------------------------------------- */

/* How many replicas a newly made current set starts with. */
int64_t rollout_first_replicas(const rollout_t *self);

/* One step of a rolling update, of a recreation; true if something was scaled. */
bool rollout_roll(rollout_t *self);
bool rollout_recreate(rollout_t *self);

/* Whether the wish for replicas changed since the sets were last scaled. */
bool rollout_is_resized(const rollout_t *self);
/* Brings all sets to the present wish, each by its share. */
void rollout_resize(rollout_t *self);

/* ---- rollout_status.c --------------------------------------------------------------------- */

/* Sets one condition of the deployment in the store. Returns whether it changed. */
bool rollout_set_progress(
    rollout_t *self, const char *status, const char *reason, const char *message);

/* Puts the status; with is_judging, also whether it progresses. Returns whether the Progressing
 * condition moved. */
bool rollout_put_status(rollout_t *self, bool is_judging);

/* Sets or takes back the condition that says that it is paused. */
void rollout_check_pause(rollout_t *self);

#endif
