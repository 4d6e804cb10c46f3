/* What a deployment says of itself. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/conditions.h"
#include "services/cluster/env/controllers/rollout.h"
#include "services/cluster/env/object.h"

static const char *string_of(const json_t *conditions, const char *type, const char *key)
{
    return object_string(condition_find(conditions, type), key);
}

static json_t *conditions_of(const rollout_t *self)
{
    json_t *known = object_at(self->deployment, "status.conditions");
    return known ? json_copy(known) : json_array();
}

/* Puts a status (taken). */
static void put(rollout_t *self, json_t *status)
{
    json_t *copy = object_copy(self->deployment, "");
    json_object_set_new(copy, "status", status);
    (void)store_update(self->store, kind_find("Deployment"), copy, STORE_STATUS, NULL);
    rollout_reload(self);
}

bool rollout_set_progress(
    rollout_t *self, const char *status, const char *reason, const char *message)
{
    json_t *conditions = conditions_of(self);
    bool is_changed =
        condition_set(conditions, (condition_t){"Progressing", status, reason, message, true});
    json_t *next = json_copy(json_object_get(self->deployment, "status"));
    next = next ? next : json_object();
    json_object_set_new(next, "conditions", conditions);
    put(self, next);
    return is_changed;
}

void rollout_check_pause(rollout_t *self)
{
    const json_t *conditions = object_at(self->deployment, "status.conditions");
    const char *reason = string_of(conditions, "Progressing", "reason");
    bool is_paused = object_is_true(self->deployment, "spec.paused");
    bool is_said = strcmp(reason, "DeploymentPaused") == 0;
    if (!rollout_has_deadline(self) || strcmp(reason, "ProgressDeadlineExceeded") == 0)
        return;
    if (is_paused && !is_said)
        (void)rollout_set_progress(self, "Unknown", "DeploymentPaused", "Deployment is paused");
    if (!is_paused && is_said)
        (void)rollout_set_progress(self, "Unknown", "DeploymentResumed", "Deployment is resumed");
}

/* ---- counting ----------------------------------------------------------------------------- */

static void set_count(json_t *status, const char *key, int64_t count)
{
    if (count > 0)
        json_object_set_new(status, key, json_integer(count));
}

static void judge_availability(const rollout_t *self, json_t *conditions, int64_t available)
{
    bool is_enough = available >= rollout_wanted(self) - rollout_max_unavailable(self);
    (void)condition_set(
        conditions, is_enough ? (condition_t){"Available", "True", "MinimumReplicasAvailable",
                        "Deployment has minimum availability.", true}
                              : (condition_t){"Available", "False", "MinimumReplicasUnavailable",
                                  "Deployment does not have minimum availability.", true});
}

static json_t *count(const rollout_t *self)
{
    int64_t available = rollout_sum(self, "status.availableReplicas", true);
    json_t *conditions = conditions_of(self);
    json_t *status = json_object();
    json_object_set_new(status, "observedGeneration",
        json_integer(object_integer(self->deployment, "metadata.generation", 0)));
    set_count(status, "replicas", rollout_sum(self, "status.replicas", true));
    set_count(status, "updatedReplicas", object_integer(self->current, "status.replicas", 0));
    set_count(status, "readyReplicas", rollout_sum(self, "status.readyReplicas", true));
    set_count(status, "availableReplicas", available);
    set_count(status, "unavailableReplicas", rollout_sum(self, "spec.replicas", true) - available);
    set_count(
        status, "collisionCount", object_integer(self->deployment, "status.collisionCount", 0));
    judge_availability(self, conditions, available);
    json_object_set_new(status, "conditions", conditions);
    return status;
}

/* ---- progress ----------------------------------------------------------------------------- */

/* Whether more is updated, gone, ready or available than was. */
static bool is_progressing(const rollout_t *self, const json_t *next)
{
    const json_t *old = json_object_get(self->deployment, "status");
    int64_t updated = object_integer(next, "updatedReplicas", 0);
    int64_t old_updated = object_integer(old, "updatedReplicas", 0);
    return updated > old_updated
           || object_integer(next, "replicas", 0) - updated
                  < object_integer(old, "replicas", 0) - old_updated
           || object_integer(next, "readyReplicas", 0) > object_integer(old, "readyReplicas", 0)
           || object_integer(next, "availableReplicas", 0)
                  > object_integer(old, "availableReplicas", 0);
}

static char *sentence(const rollout_t *self, const char *verb)
{
    return xasprintf("%s \"%s\" %s", self->current ? "ReplicaSet" : "Deployment",
        object_name(self->current ? self->current : self->deployment), verb);
}

static bool set_progress_in(
    json_t *conditions, const char *status, const char *reason, const char *message)
{
    return condition_set(conditions, (condition_t){"Progressing", status, reason, message, true});
}

/* A step forward renews the condition's time, even if it says the same. */
static bool renew_progress(json_t *conditions, const char *message)
{
    json_auto_t *old = json_incref(condition_find(conditions, "Progressing"));
    condition_remove(conditions, "Progressing");
    (void)set_progress_in(conditions, "True", "ReplicaSetUpdated", message);
    if (strcmp(object_string(old, "status"), "True") == 0)
        json_object_set(condition_find(conditions, "Progressing"), "lastTransitionTime",
            json_object_get(old, "lastTransitionTime"));
    return true;
}

/* Judges by comparing the new status with the old. Returns whether the condition moved. */
static bool judge_progress(const rollout_t *self, json_t *status)
{
    json_t *conditions = json_object_get(status, "conditions");
    const char *reason = string_of(conditions, "Progressing", "reason");
    bool was_complete =
        object_integer(status, "replicas", 0) == object_integer(status, "updatedReplicas", 0)
        && strcmp(reason, "NewReplicaSetAvailable") == 0;
    if (was_complete)
        return false;
    if (rollout_is_complete(self, status)) {
        AUTO_FREE char *text = sentence(self, "has successfully progressed.");
        return set_progress_in(conditions, "True", "NewReplicaSetAvailable", text);
    }
    if (is_progressing(self, status)) {
        AUTO_FREE char *text = sentence(self, "is progressing.");
        return renew_progress(conditions, text);
    }
    if (self->is_timed_out && strcmp(reason, "NewReplicaSetAvailable") != 0) {
        AUTO_FREE char *text = sentence(self, "has timed out progressing.");
        return set_progress_in(conditions, "False", "ProgressDeadlineExceeded", text);
    }
    return false;
}

/* Replica sets tell of pods they cannot make; the deployment passes it on. */
static void carry_failure(const rollout_t *self, json_t *conditions)
{
    condition_remove(conditions, "ReplicaFailure");
    size_t i = 0;
    json_t *set = NULL;
    json_array_foreach(self->sets, i, set)
    {
        const json_t *failure = object_condition(set, "ReplicaFailure");
        if (failure && (set == self->current || !self->current))
            (void)condition_set(conditions,
                (condition_t){"ReplicaFailure", object_string(failure, "status"),
                    object_string(failure, "reason"), object_string(failure, "message"), true});
    }
}

bool rollout_put_status(rollout_t *self, bool is_judging)
{
    json_t *status = count(self);
    json_t *conditions = json_object_get(status, "conditions");
    bool is_moved = false;
    if (is_judging && !rollout_has_deadline(self))
        condition_remove(conditions, "Progressing");
    else if (is_judging)
        is_moved = judge_progress(self, status);
    if (is_judging)
        carry_failure(self, conditions);
    put(self, status);
    return is_moved;
}
