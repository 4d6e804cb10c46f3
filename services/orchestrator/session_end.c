/* From the agent's last word to the end: the verdict, the result, and the environment's removal. */
#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "services/orchestrator/result.h"
#include "services/orchestrator/session.h"

enum {
    STOP_LOAD_MS = 5 * 1000,
    JUDGE_MS = 60 * 1000,
    JUDGE_PATIENCE_MS = 120 * 1000,
    DELETE_MS = 20 * 1000,
    DELETE_PATIENCE_MS = 60 * 1000,
};

static void judge(void *arg);
static void delete_env(void *arg);

/* ---- the verdict -------------------------------------------------------------------------- */

static void on_judge_deadline(void *arg)
{
    session_t *self = arg;
    self->deadline_timer = 0;
    session_fail(self, "no verdict: the evaluator did not answer in time");
}

static void on_verdict(void *arg, const bus_reply_t *reply)
{
    session_t *self = arg;
    self->call.id = 0;
    if (reply->err) {
        if (!session_retry(self, reply, judge))
            session_fail(self, "no verdict: %s", reply->err->text);
        return;
    }
    const verdict_t *verdict = reply->message;
    self->verdict =
        json_pack("{s:b, s:O}", "success", (int)verdict->success, "results", verdict->results);
    session_move(self, SESSION_JUDGED);
    if (self->is_ending)
        return;
    result_write(self);
    session_clean_up(self);
}

static int64_t settle_ms(const session_t *self)
{
    const problem_mitigation_t *when = self->problem->mitigated_when;
    return when ? (int64_t)when->settle_ms + when->hold_ms + when->load_ms : 0;
}

static const char *judge_of(const session_t *self)
{
    const char *own = self->problem->family->evaluator;
    return own ? own : "evaluator";
}

static void judge(void *arg)
{
    session_t *self = arg;
    codec_list_t faults = {.items = xcalloc((size_t)self->fault_count + 1, sizeof(char *))};
    for (; faults.count < (size_t)self->fault_count; faults.count++)
        faults.items[faults.count] = session_fault_name(self, (int64_t)faults.count);
    session_judge_t message = {.session = self->id,
        .problem = self->plan,
        .solution = self->solution,
        .env = self->env,
        .fault_ids = faults,
        .scoring = self->scoring,
        .baseline = self->baseline,
        .trace = self->trace,
        .duration_s = (double)session_active_ms(self) / 1000};
    self->call.timer = 0;
    session_ask(self, judge_of(self), &session_judge_type, &message, JUDGE_MS + settle_ms(self),
        on_verdict);
    for (size_t i = 0; i < faults.count; i++)
        free(faults.items[i]);
    free(faults.items);
}

void session_judge(session_t *self)
{
    self->deadline_timer =
        ev_after(self->owner->ev, JUDGE_PATIENCE_MS + settle_ms(self), on_judge_deadline, self);
    judge(self);
}

static void on_load_stopped(void *arg, const bus_reply_t *reply)
{
    session_t *self = arg;
    self->call.id = 0;
    if (!reply->err) {
        const load_report_t *sum = reply->message;
        self->load_seen = json_pack("{s:I, s:I, s:I, s:I, s:f, s:f}", "seconds",
            (json_int_t)sum->second, "sent", (json_int_t)sum->sent, "ok", (json_int_t)sum->ok,
            "errors", (json_int_t)sum->errors, "p50_ms", sum->p50_ms, "p99_ms", sum->p99_ms);
    }
    session_judge(self); /* without the sum, too: it is only told */
}

void session_submit(session_t *self, json_t *solution, const char *ended_by)
{
    session_abort_step(self, "the time of the session is over; the action was not awaited");
    self->active_before_ms = session_active_ms(self);
    self->active_since_ms = 0;
    self->end_time = session_wall_clock();
    self->solution = solution;
    self->ended_by = ended_by;
    session_move(self, SESSION_SUBMITTED);
    if (self->is_ending)
        return;
    if (!self->load) {
        session_judge(self);
        return;
    }
    load_stop_t message = {.load = self->load};
    session_ask(self, "loadgen", &load_stop_type, &message, STOP_LOAD_MS, on_load_stopped);
}

/* ---- the end ------------------------------------------------------------------------------ */

/* The result is written anew: now it is known how long the end took. */
static void finish(session_t *self)
{
    session_forget_timers(self);
    result_write(self);
    session_move(self, self->is_failing ? SESSION_FAILED : SESSION_CLOSED);
}

static void add_reason(session_t *self, const char *reason)
{
    char *longer = self->reason ? xasprintf("%s; %s", self->reason, reason) : xstrdup(reason);
    free(self->reason);
    self->reason = longer;
}

static const char *target_of(const session_t *self)
{
    /* An instance that stays away may have come back under another name; with a dead one its
     * environments are dead, too. */
    return self->cluster && self->call.retries < 4 ? self->cluster : "cluster";
}

static void on_delete_deadline(void *arg)
{
    session_t *self = arg;
    self->deadline_timer = 0;
    log_error("env.undeleted", "session=%s env=%s", self->id, self->env);
    AUTO_FREE char *reason =
        xasprintf("environment '%s' may still be there: the cluster service did not confirm that "
                  "it is deleted",
            self->env);
    add_reason(self, reason);
    finish(self);
}

static void on_deleted(void *arg, const bus_reply_t *reply)
{
    session_t *self = arg;
    self->call.id = 0;
    if (!reply->err)
        finish(self);
    else if (!session_retry(self, reply, delete_env))
        on_delete_deadline(self);
}

static void delete_env(void *arg)
{
    session_t *self = arg;
    env_delete_t message = {.env = self->env};
    self->call.timer = 0;
    session_ask(self, target_of(self), &env_delete_type, &message, DELETE_MS, on_deleted);
}

void session_clean_up(session_t *self)
{
    self->is_ending = true;
    session_forget_timers(self);
    if (!self->env) {
        finish(self);
        return;
    }
    self->deadline_timer = ev_after(self->owner->ev, DELETE_PATIENCE_MS, on_delete_deadline, self);
    delete_env(self);
}

void session_fail(session_t *self, const char *format, ...)
{
    if (self->is_ending)
        return; /* the first reason counts */
    va_list args;
    va_start(args, format);
    free(self->reason);
    if (vasprintf(&self->reason, format, args) < 0)
        mem_check(self->reason = NULL);
    va_end(args);

    self->is_ending = self->is_failing = true;
    AUTO_FREE char *why = xasprintf("the session has ended: %s", self->reason);
    session_abort_step(self, why);
    if (self->state == SESSION_ACTIVE) {
        self->active_before_ms = session_active_ms(self);
        self->active_since_ms = 0;
        self->end_time = session_wall_clock();
    }
    log_warn("session.ended", "session=%s state=%s reason=\"%s\"", self->id,
        session_state_name(self->state), self->reason);
    (void)session_record(self, NULL); /* it is tried again at the next move */
    session_clean_up(self);
}

void session_close(session_t *self, bus_request_t **request_p, bool is_agent)
{
    bool is_giving_up = is_agent && self->state == SESSION_ACTIVE && !self->is_ending;
    if (is_giving_up)
        session_submit(self, NULL, "agent");
    if (is_agent || session_is_over(self) || self->closer_count == ARRAY_SIZE(self->closers)) {
        session_answer_info(self, request_p);
        return;
    }
    self->closers[self->closer_count++] = TAKE(*request_p);
    session_fail(self, "closed by its owner");
}
