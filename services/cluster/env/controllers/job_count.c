/* Counting the pods of a Job that have ended. */
#include "services/cluster/env/controllers/job_run.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/owned.h"
#include "services/cluster/env/controllers/pods.h"
#include "services/cluster/env/object.h"

/* ---- looking ------------------------------------------------------------------------------ */

static void split_pods(job_run_t *self)
{
    size_t i = 0;
    json_t *pod = NULL;
    self->active = json_array();
    json_array_foreach(self->pods, i, pod)
    {
        if (pod_is_active(pod))
            json_array_append(self->active, pod);
    }
}

void job_run_init(job_run_t *self, store_t *store, const wall_clock_t *clock, json_t *job)
{
    *self = (job_run_t){.store = store, .clock = clock, .job = json_incref(job)};
    self->status = json_deep_copy(json_object_get(job, "status"));
    if (!self->status)
        self->status = json_object();
    self->pods = owned_claim(store, kind_find("Pod"), job);
    split_pods(self);
}

void job_run_done(job_run_t *self)
{
    json_decref(self->job);
    json_decref(self->status);
    json_decref(self->pods);
    json_decref(self->active);
    json_decref(self->lost);
    free(self->verdict);
}

bool job_is_indexed(const job_run_t *self)
{
    return strcmp(object_string(self->job, "spec.completionMode"), "Indexed") == 0;
}

int64_t job_count(const job_run_t *self, const char *key)
{
    return object_integer(self->status, key, 0);
}

void job_set_count(job_run_t *self, const char *key, int64_t count)
{
    if (count)
        json_object_set_new(self->status, key, json_integer(count));
    else
        json_object_del(self->status, key);
}

/* ---- finalizers --------------------------------------------------------------------------- */

bool job_is_uncounted(const json_t *pod)
{
    size_t i = 0;
    json_t *name = NULL;
    json_array_foreach(object_at(pod, "metadata.finalizers"), i, name)
    {
        if (json_is_string(name) && strcmp(json_string_value(name), JOB_FINALIZER) == 0)
            return true;
    }
    return false;
}

/* pod may be an older state of it. */
static void release(store_t *store, const json_t *old)
{
    const kind_t *kind = kind_find("Pod");
    const json_t *pod = store_get(store, kind, object_namespace(old), object_name(old));
    if (!pod || strcmp(object_uid(pod), object_uid(old)) != 0 || !job_is_uncounted(pod))
        return;
    json_t *copy = object_copy(pod, "metadata");
    json_t *finalizers = json_array();
    size_t i = 0;
    json_t *name = NULL;
    json_array_foreach(object_at(pod, "metadata.finalizers"), i, name)
    {
        if (!json_is_string(name) || strcmp(json_string_value(name), JOB_FINALIZER) != 0)
            json_array_append(finalizers, name);
    }
    if (json_array_size(finalizers))
        object_set(copy, "metadata.finalizers", json_incref(finalizers));
    else
        json_object_del(json_object_get(copy, "metadata"), "finalizers");
    json_decref(finalizers);
    (void)store_update(store, kind, copy, STORE_SPEC, NULL); /* it is there */
}

void job_release_all(store_t *store, const json_t *pods)
{
    size_t i = 0;
    json_t *pod = NULL;
    json_array_foreach(pods, i, pod)
    {
        release(store, pod);
    }
}

void job_release_ended(job_run_t *self)
{
    size_t i = 0;
    json_t *pod = NULL;
    json_array_foreach(self->pods, i, pod)
    {
        if (!pod_is_active(pod))
            release(self->store, pod);
    }
}

/* ---- counting ----------------------------------------------------------------------------- */

static void count_succeeded(job_run_t *self, const json_t *pod)
{
    const char *done = object_string(self->status, "completedIndexes");
    int64_t index = job_index_of(pod);
    if (job_is_indexed(self)) {
        if (index < 0 || job_index_has(done, index))
            return; /* a double of one that is done */
        AUTO_FREE char *list = job_index_add(done, index);
        json_object_set_new(self->status, "completedIndexes", json_string(list));
    }
    self->succeeded_now++;
    job_set_count(self, "succeeded", job_count(self, "succeeded") + 1);
}

static void count_failed(job_run_t *self, const json_t *pod)
{
    const char *action = "Count";
    if (strcmp(object_string(pod, "status.phase"), "Failed") == 0 && !self->verdict)
        action = job_policy_action(self->job, pod, &self->verdict);
    if (strcmp(action, "Ignore") == 0)
        return;
    self->failed_now++;
    job_set_count(self, "failed", job_count(self, "failed") + 1);
}

/* With podReplacementPolicy Failed a pod that is going counts when it has gone. */
static bool counts_while_going(const job_run_t *self)
{
    return strcmp(object_string(self->job, "spec.podReplacementPolicy"), "Failed") != 0;
}

void job_count_ended(job_run_t *self)
{
    size_t i = 0;
    json_t *pod = NULL;
    json_array_foreach(self->pods, i, pod)
    {
        if (!job_is_uncounted(pod))
            continue;
        if (strcmp(object_string(pod, "status.phase"), "Succeeded") == 0)
            count_succeeded(self, pod);
        else if (pod_is_ended(pod) || (object_is_deleted(pod) && counts_while_going(self)))
            count_failed(self, pod);
    }
    json_array_foreach(self->lost, i, pod)
    {
        if (strcmp(object_string(pod, "status.phase"), "Succeeded") == 0)
            count_succeeded(self, pod);
        else
            count_failed(self, pod);
    }
}

static int64_t restarts(const json_t *statuses)
{
    int64_t sum = 0;
    size_t i = 0;
    json_t *status = NULL;
    json_array_foreach(statuses, i, status)
    {
        sum += object_integer(status, "restartCount", 0);
    }
    return sum;
}

int64_t job_restarts(const job_run_t *self)
{
    int64_t sum = 0;
    size_t i = 0;
    json_t *pod = NULL;
    json_array_foreach(self->active, i, pod)
    {
        sum += restarts(object_at(pod, "status.initContainerStatuses"));
        sum += restarts(object_at(pod, "status.containerStatuses"));
    }
    return sum;
}
