/* The ends of a Job: done, failed, too late. */
#include "services/cluster/env/controllers/job_run.h"

#include "services/cluster/env/controllers/conditions.h"
#include "services/cluster/env/object.h"

#include <string.h>

static const event_source_t source = {"job-controller", NULL};

/* ---- conditions --------------------------------------------------------------------------- */

bool job_is(const json_t *job, const char *type)
{
    return strcmp(object_string(object_condition(job, type), "status"), "True") == 0;
}

bool job_is_finished(const json_t *job)
{
    return job_is(job, "Complete") || job_is(job, "Failed");
}

void job_set_condition(
    job_run_t *self, const char *type, const char *status, const char *reason, const char *message)
{
    json_t *conditions = json_object_get(self->status, "conditions");
    json_t *now = object_time(wall_clock_now(self->clock));
    json_t *condition = json_pack("{s:s, s:s, s:O, s:o}", "type", type, "status", status,
        "lastProbeTime", now, "lastTransitionTime", now);
    if (reason) {
        json_object_set_new(condition, "reason", json_string(reason));
        json_object_set_new(condition, "message", json_string(message));
    }
    if (!conditions) {
        conditions = json_array();
        json_object_set_new(self->status, "conditions", conditions);
    }
    condition_remove(conditions, type);
    json_array_append_new(conditions, condition);
}

/* ---- ends --------------------------------------------------------------------------------- */

static void fail(job_run_t *self, const char *reason, const char *message)
{
    size_t active = json_array_size(self->active);
    job_delete_pods(self, source, active);
    job_set_count(self, "failed", job_count(self, "failed") + (int64_t)active);
    job_set_condition(self, "Failed", "True", reason, message);
    event_record(self->store, source, self->job, NULL, "Warning", reason, "%s", message);
}

static void complete(job_run_t *self)
{
    if (json_array_size(self->active)) {
        event_record(self->store, source, self->job, NULL, "Warning", "TooManyActivePods",
            "Too many active pods running after completion count reached");
        job_delete_pods(self, source, json_array_size(self->active));
    }
    job_set_condition(self, "Complete", "True", NULL, NULL);
    json_object_set_new(self->status, "completionTime", object_time(wall_clock_now(self->clock)));
    event_record(self->store, source, self->job, NULL, "Normal", "Completed", "Job completed");
}

int64_t job_deadline_left(const job_run_t *self)
{
    time_t start = object_time_parse(object_string(self->status, "startTime"));
    if (!object_at(self->job, "spec.activeDeadlineSeconds") || start < 0)
        return -1;
    int64_t end_ms =
        ((int64_t)start + object_integer(self->job, "spec.activeDeadlineSeconds", 0)) * 1000;
    int64_t left_ms = end_ms - wall_clock_ms(self->clock);
    return left_ms > 0 ? left_ms : 0;
}

static bool is_past_limit(const job_run_t *self)
{
    int64_t limit = object_integer(self->job, "spec.backoffLimit", 6);
    bool is_restarting =
        strcmp(object_string(self->job, "spec.template.spec.restartPolicy"), "OnFailure") == 0;
    int64_t restarts = is_restarting ? job_restarts(self) : 0;
    return job_count(self, "failed") > limit || (restarts > 0 && restarts >= limit);
}

static bool is_complete(const job_run_t *self)
{
    const json_t *completions = object_at(self->job, "spec.completions");
    int64_t succeeded = job_count(self, "succeeded");
    if (completions)
        return succeeded >= json_integer_value(completions);
    return succeeded > 0 && json_array_size(self->active) == 0;
}

bool job_finish(job_run_t *self)
{
    if (self->verdict)
        fail(self, "PodFailurePolicy", self->verdict);
    else if (is_past_limit(self))
        fail(self, "BackoffLimitExceeded", "Job has reached the specified backoff limit");
    else if (job_deadline_left(self) == 0)
        fail(self, "DeadlineExceeded", "Job was active longer than specified deadline");
    else if (is_complete(self))
        complete(self);
    else
        return false;
    return true;
}
