/* session - one session, as its operator sees it from outside; for its agent there is turn.h.
 *
 * Calls wait for what they ask for, while the loop runs; they outlast restarts of the broker and
 * the orchestrator, since each of them may be asked again. */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "cli/lab.h"

typedef struct session session_t;

typedef enum {
    SESSION_REQUESTED,
    SESSION_PROVISIONING,
    SESSION_BASELINE,
    SESSION_FAULTED,
    SESSION_ACTIVE,
    SESSION_SUBMITTED,
    SESSION_JUDGED,
    SESSION_CLOSED,
    SESSION_FAILED,
    SESSION_STATES
} session_state_t;

const char *session_state_name(session_state_t state);

/* Called at every change of the session's state, from within the calls below. */
typedef void(session_watch_fn)(void *arg, const session_t *session);

/* Opens a session; on_change may be NULL. */
session_t *session_new(
    lab_t *lab, const session_open_t *open, session_watch_fn *on_change, void *arg, err_t *err);

/* Forgets it; it goes on without us. */
void session_destroy(session_t **self_p);

const char *session_id(const session_t *self);
session_state_t session_state(const session_t *self);
const char *session_reason(const session_t *self); /* NULL: none */
const char *session_env(const session_t *self);    /* "" until it has one */

/* Waits until the session has come to a state, or beyond. */
int session_await(session_t *self, session_state_t state, err_t *err);

/* What is expected, and one of the accepted solutions, which only operators are told; for
 * codec_free(&session_expectation_type). */
int session_answer(
    session_t *self, int64_t solution, session_expectation_t **expectation_p, err_t *err);

/* The result of a closed or failed session; for codec_free(&session_outcome_type). */
int session_result(session_t *self, session_outcome_t **outcome_p, err_t *err);

/* Ends the session, and waits until its environment is gone. */
int session_close(session_t *self, err_t *err);

#endif
