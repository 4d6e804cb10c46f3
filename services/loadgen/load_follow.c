/* The part of a load that looks at its pod and reads its log. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/loadgen/line.h"
#include "services/loadgen/load_internal.h"

enum { RETRY_MS = 100, LOST_MS = 5000, RESUME_LINES = 16 };

static void follow(void *arg);

/* ---- reports -------------------------------------------------------------------------------- */

static double greater(double a, double b)
{
    return a > b ? a : b;
}

/* Without the worker's own sum, the quantiles are those of the worst second. */
static void add_to_sum(load_report_t *sum, const load_report_t *second)
{
    sum->second = second->second;
    sum->sent += second->sent;
    sum->ok += second->ok;
    sum->errors += second->errors;
    sum->p50_ms = greater(sum->p50_ms, second->p50_ms);
    sum->p90_ms = greater(sum->p90_ms, second->p90_ms);
    sum->p99_ms = greater(sum->p99_ms, second->p99_ms);
    sum->max_ms = greater(sum->max_ms, second->max_ms);
}

static void publish(load_t *self, const load_report_t *report)
{
    AUTO_FREE char *topic = xasprintf("env/%s/load", self->env);
    (void)bus_publish(self->context.bus, topic, &load_report_type, report); /* counted there */
}

/* The first sign of life is the answer to whoever asked for the load. */
static void note_life(load_t *self)
{
    if (self->state == LOAD_STARTING || self->state == LOAD_RUNNING)
        load_move(self, LOAD_RUNNING);
    if (self->start_request)
        bus_reply(&self->start_request, &load_started_type, &(load_started_t){.load = self->id});
}

static void on_line(void *arg, const char *line)
{
    load_t *self = arg;
    if (self->state == LOAD_OVER)
        return;
    note_life(self);
    load_report_t report = {.load = self->id, .env = self->env};
    if (!line_read(line, &report))
        return;
    if (report.is_final) {
        self->sum = report;
        self->is_summed = true;
        load_end(self, NULL);
    } else if (report.second > self->sum.second) {
        add_to_sum(&self->sum, &report);
        publish(self, &report);
    }
}

/* ---- the log -------------------------------------------------------------------------------- */

static void on_followed(void *arg, const kube_answer_t *answer)
{
    load_t *self = arg;
    self->follow = 0;
    if (self->state == LOAD_OVER)
        return;
    bool is_over = self->last_pod && pod_is_over(self->last_pod);
    if (is_over && !answer->err) {
        AUTO_FREE char *trouble = pod_trouble(self->last_pod);
        load_end(self, "pod '%s' ended without a sum (%s)", self->pod, trouble);
    } else if (answer->err && answer->err->code == ERR_NOT_FOUND) {
        load_end(self, "pod '%s' is gone", self->pod);
    } else {
        self->retry = ev_after(self->context.ev, RETRY_MS, follow, self);
    }
}

static void follow(void *arg)
{
    load_t *self = arg;
    self->retry = 0;
    if (self->follow || self->state == LOAD_OVER)
        return;
    kube_log_t log = {.namespace = POD_NAMESPACE,
        .pod = self->pod,
        .is_following = true,
        .tail_lines = self->manifest && self->sum.second == 0 ? 0 : RESUME_LINES};
    self->follow = kube_follow(self->kube, &log, on_line, on_followed, self);
}

/* ---- the pod -------------------------------------------------------------------------------- */

static void on_lost(void *arg)
{
    load_t *self = arg;
    self->lost = 0;
    load_end(self, "environment '%s' does not answer", self->env);
}

static void on_pod(load_t *self, json_t *pod)
{
    json_decref(self->last_pod);
    self->last_pod = json_incref(pod);
    if (pod_has_log(pod) && !self->follow && !self->retry)
        follow(self);
}

static void on_change(void *arg, kube_change_t change, json_t *object)
{
    load_t *self = arg;
    if (self->state == LOAD_OVER)
        return;
    if (change == KUBE_LOST) {
        if (!self->lost)
            self->lost = ev_after(self->context.ev, LOST_MS, on_lost, self);
        return;
    }
    ev_cancel(self->context.ev, self->lost);
    self->lost = 0;
    if (change == KUBE_ADDED || change == KUBE_MODIFIED)
        on_pod(self, object);
    else if (change == KUBE_DELETED && !self->follow)
        load_end(self, "pod '%s' was deleted", self->pod);
    else if (change == KUBE_SYNCED && !self->last_pod)
        load_end(self, "there is no pod '%s'", self->pod);
}

void load_watch_pod(load_t *self)
{
    self->watch =
        kube_watch(self->kube, KUBE("Pod", POD_NAMESPACE, self->pod), NULL, NULL, on_change, self);
    if (self->stop_count > 0)
        load_stop_pod(self);
}

void load_let_go(load_t *self)
{
    kube_watch_end(&self->watch);
    kube_destroy(&self->kube);
    self->follow = 0;
}
