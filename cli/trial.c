#include "cli/trial.h"

#include "base/auto.h"
#include "base/mem.h"
#include "cli/session.h"

#include <string.h>

/* ---- telling ------------------------------------------------------------------------------- */

static const char *const phases[] = {
    [SESSION_REQUESTED] = "environment",
    [SESSION_PROVISIONING] = "environment",
    [SESSION_BASELINE] = "baseline",
    [SESSION_FAULTED] = "fault",
    [SESSION_ACTIVE] = "agent",
    [SESSION_SUBMITTED] = "verdict",
    [SESSION_JUDGED] = "clearing up",
};

static void on_change(void *arg, const session_t *session)
{
    progress_t *progress = arg;
    session_state_t state = session_state(session);
    if (state == SESSION_PROVISIONING)
        return; /* told as one with the request */
    if (state >= SESSION_CLOSED)
        progress_end(progress);
    else
        progress_begin(progress, phases[state]);
}

/* ---- playing ------------------------------------------------------------------------------- */

/* The agent wants nothing more, without having submitted: a person who leaves takes the session
 * along, any other is judged as having no answer. */
static int end_early(session_t *session, const seat_t *seat, err_t *err)
{
    return seat->has_left ? session_close(session, err) : turn_give_up(seat->turn, err);
}

/* The agent's turn, however it ends; what the session became, the session tells. */
static int take_turn(const trial_t *self, session_t *session, const keys_pair_t *pair, err_t *err)
{
    AUTO(turn_destroy)
    turn_t *turn = turn_new(self->lab, self->agent->name, session_id(session), pair, err);
    if (!turn)
        return -(int)err->code;
    seat_t seat = {.turn = turn,
        .lab = self->lab,
        .progress = self->progress,
        .model = self->model,
        .seed = self->seed};
    int rc = seat_init(&seat, err);
    if (rc == 0 && self->agent->is_told)
        rc = session_answer(session, self->solution, &seat.told, err);
    if (rc == 0) {
        self->agent->play(&seat);
        rc = seat.err.code ? err_set(err, seat.err.code, "%s", seat.err.text) : 0;
        if (self->has_left_p)
            *self->has_left_p = seat.has_left;
        if (rc == 0 && !seat.is_over)
            rc = end_early(session, &seat, err);
    }
    seat_done(&seat);
    return rc == -ERR_STATE ? 0 : rc; /* it ended while the agent acted; its result says why */
}

static int play_session(
    const trial_t *self, session_t *session, const keys_pair_t *pair, err_t *err)
{
    progress_begin(self->progress, phases[SESSION_PROVISIONING]);
    int rc = session_await(session, SESSION_ACTIVE, err);
    if (rc == 0 && session_state(session) == SESSION_ACTIVE)
        rc = take_turn(self, session, pair, err);
    return rc < 0 ? rc : session_await(session, SESSION_CLOSED, err);
}

static int fetch_result(session_t *session, json_t **result_p, err_t *err)
{
    session_outcome_t *outcome = NULL;
    int rc = session_result(session, &outcome, err);
    if (rc < 0)
        return rc;
    *result_p = json_incref(outcome->result);
    json_object_set_new(
        *result_p, "result_path", outcome->path ? json_string(outcome->path) : json_null());
    codec_free(&session_outcome_type, outcome);
    return 0;
}

/* Nobody plays it any more; a lab that goes takes all of its sessions with it. */
static void abandon(const trial_t *self, session_t *session)
{
    progress_end(self->progress);
    (void)lab_take_interrupt(self->lab);
    bool goes_by_itself = lab_is_private(self->lab) && !self->is_lab_kept;
    if (goes_by_itself || session_state(session) >= SESSION_CLOSED)
        return;
    err_t err;
    progress_begin(self->progress, "closing");
    if (session_close(session, &err) < 0)
        progress_note(self->progress, "%s", err.text);
    progress_end(self->progress);
}

int trial_play(const trial_t *self, json_t **result_p, err_t *err)
{
    keys_pair_t pair; /* made for this trial, and forgotten with it */
    char principal[KEY_NAME_LIMIT + 1];
    int rc = keys_make(&pair, err);
    if (rc < 0)
        return rc;
    turn_principal(&pair, principal);
    session_open_t open = {.problem = self->problem,
        .agent = self->agent->name,
        .principal = principal,
        .seed = self->seed,
        .max_steps = self->max_steps,
        .results_dir = self->results_dir,
        .time_limit_ms = self->agent->patience_ms,
        .idle_limit_ms = self->agent->patience_ms,
        .is_tied = true,
        .scoring = self->scoring,
        .is_healthy = self->is_healthy};
    AUTO(session_destroy)
    session_t *session = session_new(self->lab, &open, on_change, self->progress, err);
    if (!session)
        return -(int)err->code;
    rc = play_session(self, session, &pair, err);
    if (rc == 0)
        rc = fetch_result(session, result_p, err);
    if (rc < 0)
        abandon(self, session);
    return rc;
}

/* ---- the verdict --------------------------------------------------------------------------- */

/* A figure as a person reads it; NULL for what is no figure, or said already. */
static char *shown(const char *key, const json_t *value)
{
    if (strcmp(key, "success") == 0)
        return NULL;
    if (json_is_string(value))
        return xstrdup(json_string_value(value));
    if (json_is_boolean(value))
        return xstrdup(json_is_true(value) ? "yes" : "no");
    if (json_is_integer(value))
        return xasprintf("%lld", (long long)json_integer_value(value));
    return json_is_real(value) ? xasprintf("%.1f", json_real_value(value)) : NULL;
}

char *trial_verdict(const json_t *result, bool *is_success_p, bool *is_void_p)
{
    const json_t *success = json_object_get(result, "success");
    const char *reason = json_string_value(json_object_get(result, "reason"));
    *is_success_p = json_is_true(success);
    *is_void_p = !json_is_boolean(success);
    if (*is_void_p)
        return xasprintf("no verdict: %s", reason ? reason : "the session failed");
    char *text = xstrdup("");
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(result, "results"), key, value)
    {
        AUTO_FREE char *figure = shown(key, value);
        if (!figure)
            continue;
        char *longer = xasprintf("%s%s%s: %s", text, *text ? ", " : "", key, figure);
        free(text);
        text = longer;
    }
    return text;
}
