#include "services/evaluator/conditions.h"

#include "base/auto.h"
#include "base/mem.h"

#include <string.h>

static const char *const names[CONDITION_COUNT] = {
    [CONDITION_FAULT_GONE] = "fault gone",
    [CONDITION_READY] = "application ready",
    [CONDITION_LASTS] = "repair lasts",
    [CONDITION_LOAD] = "fresh load succeeds",
    [CONDITION_UNBROKEN] = "nothing else broken",
};

void conditions_done(conditions_t *self)
{
    for (size_t i = 0; i < CONDITION_COUNT; i++)
        json_decref(self->seen[i]);
}

void conditions_note(conditions_t *self, condition_t condition, bool is_met, json_t *measured)
{
    json_decref(self->seen[condition]);
    self->seen[condition] = json_pack("{s:b, s:o}", "met", (int)is_met, "measured", measured);
}

static bool is_met(const conditions_t *self, condition_t condition)
{
    return json_is_true(json_object_get(self->seen[condition], "met"));
}

bool conditions_are_met(const conditions_t *self)
{
    bool all = true;
    for (condition_t i = 0; i < CONDITION_COUNT; i++)
        all = all && is_met(self, i);
    return all;
}

json_t *conditions_to_json(const conditions_t *self)
{
    json_t *list = json_array();
    for (condition_t i = 0; i < CONDITION_COUNT; i++) {
        json_t *item = json_pack("{s:s, s:n, s:n}", "condition", names[i], "met", "measured");
        if (self->seen[i])
            json_object_update(item, self->seen[i]);
        json_array_append_new(list, item);
    }
    return list;
}

/* ---- the fault ----------------------------------------------------------------------------- */

bool conditions_is_fault_gone(const bus_reply_t *reply)
{
    const fault_status_t *status = reply->message;
    return reply->err
           || (strcmp(status->state, "active") != 0 && strcmp(status->state, "injecting") != 0);
}

void conditions_note_fault(conditions_t *self, const bus_reply_t *reply)
{
    const fault_status_t *status = reply->message;
    const json_t *before = self->seen[CONDITION_FAULT_GONE];
    json_t *seen = before ? json_incref(json_object_get(before, "measured")) : json_array();
    json_t *one = json_pack("{s:s, s:s}", "fault", reply->err ? "" : status->fault, "state",
        reply->err ? "unknown" : status->state);
    if (!reply->err && status->evidence)
        json_object_set(one, "evidence", status->evidence);
    json_array_append_new(seen, one);
    conditions_note(self, CONDITION_FAULT_GONE, conditions_is_fault_gone(reply), seen);
}

/* ---- the load ------------------------------------------------------------------------------ */

void conditions_note_load(
    conditions_t *self, const load_report_t *report, const json_t *problem, const json_t *baseline)
{
    json_int_t wanted = 100;
    json_int_t rate = 0;
    json_int_t load_ms = 0;
    json_int_t slower_ms = 0;
    double usual_ms = 0;
    (void)json_unpack((json_t *)problem, "{s:{s:I}, s:{s:I, s:I, s?I}}", "load", "rate", &rate,
        "expected", "success_percent", &wanted, "load_ms", &load_ms, "slower_ms", &slower_ms);
    bool is_known = json_unpack((json_t *)baseline, "{s:{s:F}}", "load", "p99_ms", &usual_ms) == 0;
    json_int_t least = rate * load_ms / 2000;
    bool is_enough = report->sent > 0 && report->sent >= least;
    bool is_well = is_enough && report->ok * 100 >= report->sent * wanted;
    bool is_fast = !is_known || report->p99_ms <= usual_ms + (double)slower_ms;
    json_t *measured = json_pack("{s:I, s:I, s:I, s:I, s:I, s:f}", "sent", (json_int_t)report->sent,
        "ok", (json_int_t)report->ok, "errors", (json_int_t)report->errors, "wanted_percent",
        wanted, "wanted_requests", least, "p99_ms", report->p99_ms);
    if (is_known)
        json_object_set_new(measured, "wanted_p99_ms", json_real(usual_ms + (double)slower_ms));
    conditions_note(self, CONDITION_LOAD, is_well && is_fast, measured);
}

/* ---- everything else ----------------------------------------------------------------------- */

void conditions_note_difference(conditions_t *self, const json_t *difference)
{
    json_t *gone = json_object_get(difference, "gone");
    json_t *answers = json_object_get(difference, "answers_changed");
    bool is_unbroken = json_array_size(gone) == 0 && json_array_size(answers) == 0;
    conditions_note(self, CONDITION_UNBROKEN, is_unbroken,
        json_pack("{s:O, s:O}", "objects_gone", gone, "answers_changed", answers));
}

static bool is_target(const char *object, const json_t *problem)
{
    const char *slash = strchr(object, '/');
    size_t i;
    size_t k;
    json_t *fault;
    json_t *target;
    json_array_foreach(json_object_get(problem, "faults"), i, fault)
    {
        json_array_foreach(json_object_get(fault, "targets"), k, target)
        {
            if (slash && strcmp(slash + 1, json_string_value(target)) == 0)
                return true;
        }
    }
    return false;
}

static json_t *untargeted(const json_t *objects, const json_t *problem)
{
    json_t *list = json_array();
    size_t i;
    json_t *object;
    json_array_foreach((json_t *)objects, i, object)
    {
        if (!is_target(json_string_value(object), problem))
            json_array_append(list, object);
    }
    return list;
}

json_t *conditions_blast_radius(const json_t *difference, const json_t *problem)
{
    if (!difference)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:O, s:O}", "objects_gone",
        untargeted(json_object_get(difference, "gone"), problem), "objects_changed",
        untargeted(json_object_get(difference, "changed"), problem), "objects_new",
        untargeted(json_object_get(difference, "new"), problem), "pods_replaced",
        json_object_get(difference, "pods_replaced"), "restarts",
        json_object_get(difference, "restarts"));
}
