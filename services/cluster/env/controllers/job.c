/* Job: pods that end. How many it has at a time, and when it is looked at; its ends are in
 * job_finish.c, counting in job_count.c, and pods are made in job_pods.c. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/controller.h"
#include "services/cluster/env/controllers/job_run.h"
#include "services/cluster/env/controllers/owned.h"
#include "services/cluster/env/controllers/pods.h"
#include "services/cluster/env/controllers/work_queue.h"
#include "services/cluster/env/object.h"

enum { RETRY_MS = 5000, BACKOFF_MS = 10 * 1000, BACKOFF_MAX_MS = 600 * 1000 };

static const event_source_t source = {"job-controller", NULL};

typedef struct jobs {
    ev_t *ev;
    store_t *store;
    const kind_t *kind;
    const kind_t *pod_kind;
    wall_clock_t clock;
    work_queue_t *queue;
    store_watch_t *watch;
    store_watch_t *pod_watch;
    zhashx_t *backoffs; /* backoff_t by job uid */
    json_t *lost;       /* by job uid: pods that went before they were counted */
} jobs_t;

/* After n failures in a row the next pod waits 10 s, 20 s, 40 s … */
typedef struct backoff {
    int failures;
    int64_t last_ms;
} backoff_t;

/* ---- back-off ----------------------------------------------------------------------------- */

static void note_ends(jobs_t *self, const job_run_t *run)
{
    backoff_t *backoff = zhashx_lookup(self->backoffs, object_uid(run->job));
    if (!backoff) {
        backoff = xcalloc(1, sizeof(*backoff));
        zhashx_insert(self->backoffs, object_uid(run->job), backoff);
    }
    if (run->succeeded_now)
        backoff->failures = 0;
    if (run->failed_now) {
        backoff->failures += (int)run->failed_now;
        backoff->last_ms = ev_now(self->ev);
    }
}

static int64_t backoff_left(jobs_t *self, const job_run_t *run)
{
    const backoff_t *backoff = zhashx_lookup(self->backoffs, object_uid(run->job));
    int64_t delay_ms = BACKOFF_MS;
    if (!backoff || backoff->failures == 0)
        return 0;
    for (int i = 1; i < backoff->failures && delay_ms < BACKOFF_MAX_MS; i++)
        delay_ms *= 2;
    delay_ms = delay_ms < BACKOFF_MAX_MS ? delay_ms : BACKOFF_MAX_MS;
    int64_t left_ms = backoff->last_ms + delay_ms - ev_now(self->ev);
    return left_ms > 0 ? left_ms : 0;
}

static void look_again(jobs_t *self, const job_run_t *run, int64_t delay_ms)
{
    work_queue_add_after(self->queue, object_namespace(run->job), object_name(run->job), delay_ms);
}

/* ---- going on ----------------------------------------------------------------------------- */

static int64_t wanted_pods(const job_run_t *self)
{
    const json_t *completions = object_at(self->job, "spec.completions");
    int64_t parallelism = object_integer(self->job, "spec.parallelism", 1);
    int64_t succeeded = job_count(self, "succeeded");
    if (!completions) /* a queue: once one is done, no more are begun */
        return succeeded > 0 ? (int64_t)json_array_size(self->active) : parallelism;
    int64_t left = json_integer_value(completions) - succeeded;
    return left < parallelism ? left : parallelism;
}

/* Pods that are going hold their places where only failed ones are replaced. */
static int64_t going_pods(const job_run_t *self)
{
    int64_t going = 0;
    size_t i = 0;
    json_t *pod = NULL;
    if (strcmp(object_string(self->job, "spec.podReplacementPolicy"), "Failed") != 0)
        return 0;
    json_array_foreach(self->pods, i, pod)
    {
        going += object_is_deleted(pod) && !pod_is_ended(pod);
    }
    return going;
}

static void manage(jobs_t *owner, job_run_t *self)
{
    int64_t active = (int64_t)json_array_size(self->active);
    int64_t wanted = wanted_pods(self);
    int64_t left_ms = backoff_left(owner, self);
    if (active > wanted)
        job_delete_pods(self, source, (size_t)(active - wanted));
    else if (active < wanted && left_ms > 0)
        look_again(owner, self, left_ms);
    else if (active < wanted
             && job_create_pods(self, source, wanted - active - going_pods(self)) < 0)
        look_again(owner, self, RETRY_MS);
    if (job_deadline_left(self) > 0)
        look_again(owner, self, job_deadline_left(self));
}

static void suspend(job_run_t *self)
{
    job_delete_pods(self, source, json_array_size(self->active));
    if (job_is(self->job, "Suspended"))
        return;
    json_object_del(self->status, "startTime");
    job_set_condition(self, "Suspended", "True", "JobSuspended", "Job suspended");
    event_record(self->store, source, self->job, NULL, "Normal", "Suspended", "Job suspended");
}

static void start(job_run_t *self)
{
    bool is_resumed = job_is(self->job, "Suspended");
    if (is_resumed) {
        job_set_condition(self, "Suspended", "False", "JobResumed", "Job resumed");
        event_record(self->store, source, self->job, NULL, "Normal", "Resumed", "Job resumed");
    }
    if (is_resumed || !json_object_get(self->status, "startTime"))
        json_object_set_new(self->status, "startTime", object_time(wall_clock_now(self->clock)));
}

/* ---- reconciling -------------------------------------------------------------------------- */

static void put_status(jobs_t *owner, job_run_t *self)
{
    int64_t ready = 0;
    int64_t going = 0;
    size_t i = 0;
    json_t *pod = NULL;
    json_array_foreach(self->active, i, pod)
    {
        ready += pod_is_ready(pod);
    }
    json_array_foreach(self->pods, i, pod)
    {
        going += object_is_deleted(pod) && !pod_is_ended(pod);
    }
    job_set_count(self, "active", (int64_t)json_array_size(self->active));
    json_object_set_new(self->status, "ready", json_integer(ready));
    json_object_set_new(self->status, "terminating", json_integer(going));
    json_object_set_new(self->status, "uncountedTerminatedPods", json_object());
    json_t *copy = object_copy(self->job, "");
    json_object_set(copy, "status", self->status);
    (void)store_update(owner->store, owner->kind, copy, STORE_STATUS, NULL); /* it is there */
}

static void work_on(jobs_t *owner, job_run_t *self)
{
    bool is_suspended = object_is_true(self->job, "spec.suspend");
    job_count_ended(self);
    note_ends(owner, self);
    if (!is_suspended)
        start(self);
    if (!job_finish(self)) {
        if (is_suspended)
            suspend(self);
        else
            manage(owner, self);
    }
    put_status(owner, self);
    job_release_ended(self);
}

/* A job that has ended goes after its time. */
static void await_end(jobs_t *self, const job_run_t *run)
{
    static const store_delete_t options = {.grace_seconds = -1, .propagation = "Foreground"};
    const json_t *ttl = object_at(run->job, "spec.ttlSecondsAfterFinished");
    const json_t *condition =
        object_condition(run->job, job_is(run->job, "Complete") ? "Complete" : "Failed");
    time_t end = object_time_parse(object_string(condition, "lastTransitionTime"));
    if (!ttl || end < 0)
        return;
    int64_t left_ms = ((int64_t)end + json_integer_value(ttl)) * 1000 - wall_clock_ms(&self->clock);
    if (left_ms > 0)
        look_again(self, run, left_ms);
    else
        (void)store_delete(self->store, self->kind, object_namespace(run->job),
            object_name(run->job), &options, NULL);
}

typedef struct orphans {
    const char *name;
    json_t *pods;
} orphans_t;

static void add_orphan(void *arg, json_t *pod)
{
    orphans_t *self = arg;
    const char *owner = owned_by(pod, "Job");
    if (owner && strcmp(owner, self->name) == 0)
        json_array_append(self->pods, pod);
}

/* The job is gone: nobody will count its pods. */
static void release_orphans(jobs_t *self, const char *namespace, const char *name)
{
    orphans_t orphans = {.name = name, .pods = json_array()};
    store_each(self->store, self->pod_kind, namespace, add_orphan, &orphans);
    job_release_all(self->store, orphans.pods);
    json_decref(orphans.pods);
}

static void reconcile(void *arg, const char *namespace, const char *name)
{
    jobs_t *self = arg;
    json_t *job = store_get(self->store, self->kind, namespace, name);
    job_run_t run;
    if (!job) {
        release_orphans(self, namespace, name);
        return;
    }
    job_run_init(&run, self->store, &self->clock, job);
    run.lost = json_incref(json_object_get(self->lost, object_uid(job)));
    json_object_del(self->lost, object_uid(job));
    if (job_is_finished(job) || object_is_deleted(job))
        job_release_all(self->store, run.pods);
    else
        work_on(self, &run);
    if (job_is_finished(job) && !object_is_deleted(job))
        await_end(self, &run);
    job_run_done(&run);
}

static void add_owner(void *arg, json_t *job)
{
    work_queue_add_object(((jobs_t *)arg)->queue, job);
}

static void on_job(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    jobs_t *self = arg;
    (void)kind;
    (void)old;
    if (change == STORE_DELETED)
        zhashx_delete(self->backoffs, object_uid(object));
    if (change == STORE_DELETED)
        json_object_del(self->lost, object_uid(object));
    work_queue_add_object(self->queue, object);
}

/* A kubelet may take a pod away before it has been looked at. */
static void note_lost(jobs_t *self, json_t *pod)
{
    const char *uid = object_string(object_controller(pod), "uid");
    if (!json_object_get(self->lost, uid))
        json_object_set_new(self->lost, uid, json_array());
    json_array_append(json_object_get(self->lost, uid), pod);
}

static void on_pod(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    jobs_t *self = arg;
    const char *owner = owned_by(object, "Job");
    (void)kind;
    (void)old;
    if (owner && change == STORE_DELETED && job_is_uncounted(object))
        note_lost(self, object);
    if (owner)
        work_queue_add(self->queue, object_namespace(object), owner);
}

/* ---- life cycle --------------------------------------------------------------------------- */

static void backoff_destroy(void **item_p)
{
    free(*item_p);
    *item_p = NULL;
}

static void *open_jobs(const controller_deps_t *deps)
{
    jobs_t *self = xcalloc(1, sizeof(*self));
    self->ev = deps->ev;
    self->store = deps->store;
    self->kind = kind_find("Job");
    self->pod_kind = kind_find("Pod");
    wall_clock_init(&self->clock, deps->ev);
    self->queue = work_queue_new(deps->ev, reconcile, self);
    self->lost = json_object();
    self->backoffs = zhashx_new();
    zhashx_set_destructor(self->backoffs, backoff_destroy);
    self->watch = store_watch(deps->store, self->kind, on_job, self);
    self->pod_watch = store_watch(deps->store, self->pod_kind, on_pod, self);
    store_each(deps->store, self->kind, NULL, add_owner, self);
    return self;
}

static void close_jobs(void *arg)
{
    jobs_t *self = arg;
    store_watch_end(&self->watch);
    store_watch_end(&self->pod_watch);
    work_queue_destroy(&self->queue);
    zhashx_destroy(&self->backoffs);
    json_decref(self->lost);
    free(self);
}

const controller_kind_t controller_job = {
    .name = "job",
    .open = open_jobs,
    .close = close_jobs,
};
