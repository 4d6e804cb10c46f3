/* CronJob: a Job at each time of a schedule, with the rules of kube-controller-manager 1.30. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/controller.h"
#include "services/cluster/env/controllers/owned.h"
#include "services/cluster/env/controllers/wall_clock.h"
#include "services/cluster/env/controllers/work_queue.h"
#include "services/cluster/env/cron.h"
#include "services/cluster/env/events.h"
#include "services/cluster/env/object.h"

enum { MISSED_MAX = 100, EXTRA_MS = 100 };

static const event_source_t source = {"cronjob-controller", NULL};

typedef struct cron_jobs {
    store_t *store;
    const kind_t *kind;
    const kind_t *job_kind;
    wall_clock_t clock;
    work_queue_t *queue;
    store_watch_t *watch;
    store_watch_t *job_watch;
} cron_jobs_t;

/* One CronJob while the controller looks at it. */
typedef struct look {
    cron_jobs_t *owner;
    json_t *cron;   /* a reference */
    json_t *jobs;   /* all that it owns, the oldest first */
    json_t *status; /* what will be put; owned */
} look_t;

/* ---- its jobs ----------------------------------------------------------------------------- */

static void add_job(void *arg, json_t *job)
{
    look_t *self = arg;
    const json_t *controller = object_controller(job);
    if (controller && strcmp(object_string(controller, "uid"), object_uid(self->cron)) == 0)
        json_array_append(self->jobs, job);
}

/* "Complete", "Failed", or NULL while it runs. */
static const char *end_of(const json_t *job)
{
    static const char *const ends[] = {"Complete", "Failed"};
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        if (strcmp(object_string(object_condition(job, ends[i]), "status"), "True") == 0)
            return ends[i];
    }
    return NULL;
}

static json_t *active_list(look_t *self)
{
    json_t *active = json_object_get(self->status, "active");
    if (!active) {
        active = json_array();
        json_object_set_new(self->status, "active", active);
    }
    return active;
}

static size_t active_index(const look_t *self, const char *uid)
{
    const json_t *active = json_object_get(self->status, "active");
    size_t i = 0;
    while (i < json_array_size(active)
           && strcmp(object_string(json_array_get(active, i), "uid"), uid) != 0)
        i++;
    return i;
}

static bool is_active(const look_t *self, const json_t *job)
{
    return active_index(self, object_uid(job))
           < json_array_size(json_object_get(self->status, "active"));
}

static void forget(look_t *self, const char *uid)
{
    (void)json_array_remove(active_list(self), active_index(self, uid)); /* past the end: none */
}

static void note_success(look_t *self, const json_t *job)
{
    const char *end = object_string(job, "status.completionTime");
    const char *known = object_string(self->status, "lastSuccessfulTime");
    if (*end && strcmp(end, known) > 0)
        json_object_set_new(self->status, "lastSuccessfulTime", json_string(end));
}

static void look_at_job(look_t *self, const json_t *job)
{
    const char *end = end_of(job);
    if (!end && !is_active(self, job)) {
        event_record(self->owner->store, source, self->cron, NULL, "Warning", "UnexpectedJob",
            "Saw a job that the controller did not create or forgot: %s", object_name(job));
    } else if (end && is_active(self, job)) {
        forget(self, object_uid(job));
        event_record(self->owner->store, source, self->cron, NULL, "Normal", "SawCompletedJob",
            "Saw completed job: %s, condition: %s", object_name(job), end);
    }
    if (end && strcmp(end, "Complete") == 0)
        note_success(self, job);
}

/* Active jobs that somebody deleted. */
static void look_for_missing(look_t *self)
{
    for (size_t i = json_array_size(json_object_get(self->status, "active")); i > 0; i--) {
        const json_t *entry = json_array_get(json_object_get(self->status, "active"), i - 1);
        const json_t *job = store_get(self->owner->store, self->owner->job_kind,
            object_namespace(self->cron), object_string(entry, "name"));
        if (job && strcmp(object_uid(job), object_string(entry, "uid")) == 0)
            continue;
        event_record(self->owner->store, source, self->cron, NULL, "Normal", "MissingJob",
            "Active job went missing: %s", object_string(entry, "name"));
        (void)json_array_remove(json_object_get(self->status, "active"), i - 1);
    }
}

static void delete_job(look_t *self, const json_t *job)
{
    AUTO_FREE char *name = xstrdup(object_name(job));
    AUTO_FREE char *uid = xstrdup(object_uid(job));
    forget(self, uid);
    if (store_delete(self->owner->store, self->owner->job_kind, object_namespace(self->cron), name,
            NULL, NULL)
        == 0)
        event_record(self->owner->store, source, self->cron, NULL, "Normal", "SuccessfulDelete",
            "Deleted job %s", name);
}

/* ---- history ------------------------------------------------------------------------------ */

static void trim(look_t *self, const char *end, const char *limit_path)
{
    size_t count = 0;
    size_t i = 0;
    json_t *job = NULL;
    if (!object_at(self->cron, limit_path))
        return;
    size_t limit = (size_t)object_integer(self->cron, limit_path, 0);
    json_array_foreach(self->jobs, i, job)
    {
        count += end_of(job) && strcmp(end_of(job), end) == 0;
    }
    json_array_foreach(self->jobs, i, job)
    {
        if (count <= limit)
            return;
        if (!end_of(job) || strcmp(end_of(job), end) != 0)
            continue;
        if (!object_is_deleted(job))
            delete_job(self, job);
        count--;
    }
}

/* ---- times -------------------------------------------------------------------------------- */

typedef struct times {
    time_t missed; /* the last time at which a job is due, or -1 */
    time_t next;   /* the first to come, or -1 */
    bool are_many; /* more were missed than can be a matter of course */
} times_t;

static times_t find_times(const look_t *self, const cron_t *cron, time_t now)
{
    times_t times = {.missed = -1};
    const json_t *zone_value = object_at(self->cron, "spec.timeZone");
    const char *zone = json_string_value(zone_value);
    const json_t *deadline = object_at(self->cron, "spec.startingDeadlineSeconds");
    time_t from = object_time_parse(object_string(self->status, "lastScheduleTime"));
    if (from < 0)
        from = object_time_parse(object_string(self->cron, "metadata.creationTimestamp"));
    if (deadline && from < now - (time_t)json_integer_value(deadline))
        from = now - (time_t)json_integer_value(deadline);
    int count = 0;
    times.next = cron_next(cron, from, zone);
    while (times.next >= 0 && times.next <= now) {
        times.missed = times.next;
        times.are_many = ++count > MISSED_MAX;
        if (times.are_many) /* the rest is not looked at one by one */
            times.next = cron_next(cron, now - 1, zone);
        if (times.next > now)
            break;
        times.next = cron_next(cron, times.next, zone);
    }
    return times;
}

/* ---- starting ----------------------------------------------------------------------------- */

static json_t *new_job(const look_t *self, time_t due)
{
    const json_t *template = object_at(self->cron, "spec.jobTemplate");
    json_t *known = object_at(template, "metadata.annotations");
    json_t *annotations = known ? json_copy(known) : json_object();
    json_object_set_new(
        annotations, "batch.kubernetes.io/cronjob-scheduled-timestamp", object_time(due));
    json_t *metadata = json_pack("{s:o, s:s, s:o, s:[o]}", "name",
        json_sprintf("%s-%lld", object_name(self->cron), (long long)due / 60), "namespace",
        object_namespace(self->cron), "annotations", annotations, "ownerReferences",
        object_owner_reference(self->cron));
    if (object_at(template, "metadata.labels"))
        json_object_set(metadata, "labels", object_at(template, "metadata.labels"));
    return json_pack("{s:o, s:O}", "metadata", metadata, "spec", object_at(template, "spec"));
}

static void start_job(look_t *self, time_t due)
{
    err_t err = {0};
    json_t *job = NULL;
    int rc =
        store_create(self->owner->store, self->owner->job_kind, new_job(self, due), &job, &err);
    if (rc == -ERR_EXISTS)
        return;
    if (rc < 0) {
        event_record(self->owner->store, source, self->cron, NULL, "Warning", "FailedCreate",
            "Error creating job: %s", err.text);
        return;
    }
    event_record(self->owner->store, source, self->cron, NULL, "Normal", "SuccessfulCreate",
        "Created job %s", object_name(job));
    json_array_append_new(active_list(self),
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "kind", "Job", "namespace",
            object_namespace(job), "name", object_name(job), "uid", object_uid(job), "apiVersion",
            "batch/v1", "resourceVersion", object_string(job, "metadata.resourceVersion")));
    json_object_set_new(self->status, "lastScheduleTime", object_time(due));
}

static bool is_too_late(const look_t *self, time_t due, time_t now)
{
    const json_t *deadline = object_at(self->cron, "spec.startingDeadlineSeconds");
    return deadline && due + (time_t)json_integer_value(deadline) < now;
}

/* What the policy makes of jobs that still run; false if there is to be no other. */
static bool make_way(look_t *self)
{
    const char *policy = object_string(self->cron, "spec.concurrencyPolicy");
    size_t i = 0;
    json_t *job = NULL;
    if (strcmp(policy, "Forbid") == 0 && json_array_size(active_list(self))) {
        event_record(self->owner->store, source, self->cron, NULL, "Normal", "JobAlreadyActive",
            "Not starting job because prior execution is running and concurrency policy is Forbid");
        return false;
    }
    if (strcmp(policy, "Replace") != 0)
        return true;
    json_array_foreach(self->jobs, i, job)
    {
        if (is_active(self, job))
            delete_job(self, job);
    }
    return true;
}

static void start_due(look_t *self, const times_t *times, time_t now)
{
    if (times->are_many)
        event_record(self->owner->store, source, self->cron, NULL, "Warning", "TooManyMissedTimes",
            "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check "
            "clock skew");
    if (times->missed < 0)
        return;
    if (is_too_late(self, times->missed, now)) {
        char text[64];
        struct tm at;
        gmtime_r(&times->missed, &at);
        (void)strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S +0000", &at);
        event_record(self->owner->store, source, self->cron, NULL, "Warning", "MissSchedule",
            "Missed scheduled time to start a job: %s", text);
    } else if (make_way(self)) {
        start_job(self, times->missed);
    }
}

/* Starts what is due, and looks again at the next time. */
static void keep_schedule(look_t *self)
{
    cron_t cron;
    time_t now = wall_clock_now(&self->owner->clock);
    if (object_is_true(self->cron, "spec.suspend")
        || cron_parse(&cron, object_string(self->cron, "spec.schedule"), NULL) < 0)
        return;
    times_t times = find_times(self, &cron, now);
    start_due(self, &times, now);
    if (times.next > now)
        work_queue_add_after(self->owner->queue, object_namespace(self->cron),
            object_name(self->cron),
            (int64_t)times.next * 1000 - wall_clock_ms(&self->owner->clock) + EXTRA_MS);
}

/* ---- reconciling -------------------------------------------------------------------------- */

static void look(look_t *self)
{
    size_t i = 0;
    json_t *job = NULL;
    json_array_foreach(self->jobs, i, job)
    {
        look_at_job(self, job);
    }
    look_for_missing(self);
    trim(self, "Complete", "spec.successfulJobsHistoryLimit");
    trim(self, "Failed", "spec.failedJobsHistoryLimit");
    keep_schedule(self);
}

static void put_status(look_t *self)
{
    if (!json_array_size(json_object_get(self->status, "active")))
        json_object_del(self->status, "active");
    json_t *copy = object_copy(self->cron, "");
    json_object_set(copy, "status", self->status);
    (void)store_update(self->owner->store, self->owner->kind, copy, STORE_STATUS, NULL);
}

static void reconcile(void *arg, const char *namespace, const char *name)
{
    cron_jobs_t *self = arg;
    json_t *cron = store_get(self->store, self->kind, namespace, name);
    if (!cron || object_is_deleted(cron))
        return;
    look_t at = {.owner = self, .cron = json_incref(cron), .jobs = json_array()};
    at.status = json_deep_copy(json_object_get(cron, "status"));
    if (!at.status)
        at.status = json_object();
    store_each(self->store, self->job_kind, namespace, add_job, &at);
    look(&at);
    put_status(&at);
    json_decref(at.cron);
    json_decref(at.jobs);
    json_decref(at.status);
}

static void add(void *arg, json_t *cron)
{
    work_queue_add_object(((cron_jobs_t *)arg)->queue, cron);
}

static void on_cron_job(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    (void)kind;
    (void)old;
    if (change != STORE_DELETED)
        add(arg, object);
}

static void on_job(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    cron_jobs_t *self = arg;
    const char *owner = owned_by(object, "CronJob");
    (void)change;
    (void)kind;
    (void)old;
    if (owner)
        work_queue_add(self->queue, object_namespace(object), owner);
}

/* ---- life cycle --------------------------------------------------------------------------- */

static void *open_cron_jobs(const controller_deps_t *deps)
{
    cron_jobs_t *self = xcalloc(1, sizeof(*self));
    self->store = deps->store;
    self->kind = kind_find("CronJob");
    self->job_kind = kind_find("Job");
    wall_clock_init(&self->clock, deps->ev);
    self->queue = work_queue_new(deps->ev, reconcile, self);
    self->watch = store_watch(deps->store, self->kind, on_cron_job, self);
    self->job_watch = store_watch(deps->store, self->job_kind, on_job, self);
    store_each(deps->store, self->kind, NULL, add, self);
    return self;
}

static void close_cron_jobs(void *arg)
{
    cron_jobs_t *self = arg;
    store_watch_end(&self->watch);
    store_watch_end(&self->job_watch);
    work_queue_destroy(&self->queue);
    free(self);
}

const controller_kind_t controller_cron_job = {
    .name = "cron-job",
    .open = open_cron_jobs,
    .close = close_cron_jobs,
};
