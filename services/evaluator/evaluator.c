#include "services/evaluator/evaluator.h"

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "proto/messages.h"
#include "services/evaluator/baseline.h"
#include "services/evaluator/grader.h"
#include "services/evaluator/mitigation.h"
#include "services/evaluator/original.h"

struct evaluator {
    ev_t *ev;
    bus_t *bus;
    zlistx_t *judgements; /* that are being measured */
    zlistx_t *takings;    /* of baselines */
    metric_t *verdicts;
};

/* One that takes time. */
typedef struct judgement {
    evaluator_t *owner; /* borrowed */
    bus_request_t *request;
    char *session;
    json_t *results;
    mitigation_t *mitigation; /* NULL: it is judged as the original does */
    original_t *original;
} judgement_t;

static void judgement_destroy(judgement_t **self_p)
{
    judgement_t *self = TAKE(*self_p);
    if (!self)
        return;
    if (self->request)
        bus_fail(&self->request, ERR_UNAVAILABLE, "the evaluator goes away");
    mitigation_destroy(&self->mitigation);
    original_destroy(&self->original);
    json_decref(self->results);
    free(self->session);
    free(self);
}

static void pronounce(evaluator_t *self, bus_request_t **request_p, const char *session,
    bool is_success, json_t *results)
{
    log_info("session.judged", "session=%s success=%s", session, is_success ? "yes" : "no");
    metric_add(self->verdicts, 1);
    bus_reply(request_p, &verdict_type, &(verdict_t){.success = is_success, .results = results});
}

static void on_measured(void *arg, const err_t *err, bool is_mitigated, const json_t *results)
{
    judgement_t *judgement = arg;
    evaluator_t *self = judgement->owner;
    if (err) {
        log_warn("session.unjudged", "session=%s reason=\"%s\"", judgement->session, err->text);
        bus_fail_err(&judgement->request, err);
    } else {
        json_object_set_new(judgement->results, "success", json_boolean(is_mitigated));
        if (results)
            json_object_update(judgement->results, (json_t *)results);
        pronounce(self, &judgement->request, judgement->session, is_mitigated, judgement->results);
    }
    zlistx_delete(self->judgements, zlistx_find(self->judgements, judgement));
}

static bool is_original(const session_judge_t *judge)
{
    return judge->scoring && strcmp(judge->scoring, "original") == 0;
}

static void on_looked(void *arg, const err_t *err, bool is_mitigated)
{
    on_measured(arg, err, is_mitigated, NULL);
}

static void measure(
    evaluator_t *self, bus_request_t **request_p, const session_judge_t *judge, json_t *results)
{
    judgement_t *judgement = xcalloc(1, sizeof(*judgement));
    judgement->owner = self;
    judgement->request = TAKE(*request_p);
    judgement->session = xstrdup(judge->session);
    judgement->results = json_incref(results);
    zlistx_add_end(self->judgements, judgement);
    if (is_original(judge))
        judgement->original = original_new(self->ev, self->bus, judge, on_looked, judgement);
    else
        judgement->mitigation = mitigation_new(self->ev, self->bus, judge, on_measured, judgement);
}

static void on_judge(void *arg, bus_request_t *request, const void *message)
{
    evaluator_t *self = arg;
    const session_judge_t *judge = message;
    const char *task = json_string_value(json_object_get(judge->problem, "task"));
    err_t err = {0};
    const grader_t *grader = grader_find(task ? task : "", &err);
    if (!grader) {
        bus_fail_err(&request, &err);
        return;
    }
    json_t *results = json_object();
    grader_add_evidence(judge->problem, judge->trace, results);
    if (grader->grade) {
        const json_t *expected = json_object_get(judge->problem, "expected");
        bool is_success = is_original(judge)
                              ? original_grade(task, expected, judge->solution, results)
                              : grader->grade(expected, judge->solution, results);
        grader_add_common(grader, judge->trace, judge->duration_s, results);
        pronounce(self, &request, judge->session, is_success, results);
    } else {
        grader_add_common(grader, judge->trace, judge->duration_s, results);
        measure(self, &request, judge, results);
    }
    json_decref(results);
}

static void on_taken(void *arg, taking_t *taking)
{
    evaluator_t *self = arg;
    zlistx_delete(self->takings, zlistx_find(self->takings, taking));
}

static void on_take(void *arg, bus_request_t *request, const void *message)
{
    evaluator_t *self = arg;
    zlistx_add_end(
        self->takings, taking_new(self->ev, self->bus, &request, message, on_taken, self));
}

static const bus_handler_t handlers[] = {
    {&baseline_take_type, on_take},
    {&session_judge_type, on_judge},
};

evaluator_t *evaluator_new(ev_t *ev, bus_t *bus, metrics_t *metrics)
{
    evaluator_t *self = xcalloc(1, sizeof(*self));
    self->ev = ev;
    self->bus = bus;
    self->judgements = zlistx_new();
    zlistx_set_destructor(self->judgements, (zlistx_destructor_fn *)judgement_destroy);
    self->takings = zlistx_new();
    zlistx_set_destructor(self->takings, (zlistx_destructor_fn *)taking_destroy);
    self->verdicts =
        metrics_counter(metrics, "aiopslab_verdicts_total", "Sessions that were judged", NULL);
    bus_serve(bus, "evaluator", handlers, ARRAY_SIZE(handlers), self);
    return self;
}

void evaluator_destroy(evaluator_t **self_p)
{
    evaluator_t *self = TAKE(*self_p);
    if (!self)
        return;
    zlistx_destroy(&self->judgements);
    zlistx_destroy(&self->takings);
    free(self);
}
