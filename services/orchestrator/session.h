/* session - one agent's attempt at one problem, from request to verdict. Private to the
 * orchestrator; spread over session*.c by what happens when.
 *
 *     requested -> provisioning -> baseline -> faulted -> active -> submitted -> judged -> closed
 *   (session_setup.c, session_faults.c)         (session_act.c)       (session_end.c)
 *
 * and from everywhere to failed. All of it is event-driven: a state is entered by session_move(),
 * asks others for what it needs, and is left when they answer or its deadline passes. closed and
 * failed are reached only when the environment is gone. */
#ifndef ORCHESTRATOR_SESSION_H
#define ORCHESTRATOR_SESSION_H

#include "problems/problem.h"
#include "proto/messages.h"
#include "services/orchestrator/orchestrator_internal.h"
#include "services/orchestrator/step.h"

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

enum {
    SESSION_MAX_STEPS = 30,
    SESSION_TIME_LIMIT_MS = 30 * 60 * 1000,
    SESSION_IDLE_LIMIT_MS = 10 * 60 * 1000,
    SESSION_ACTION_SIZE_MAX = 256 * 1024,
};

typedef struct session_call {
    int id;      /* of the request under way; 0: none */
    int timer;   /* until it is asked again */
    int retries; /* so far */
} session_call_t;

typedef struct session {
    orchestrator_t *owner; /* borrowed */
    char *id;
    const problem_t *problem; /* borrowed from the registry */
    char *agent;
    char *principal;     /* key name of the agent; "": only operators may act */
    char *scoring;       /* NULL: ours */
    char *results_dir;   /* NULL: the default one */
    char *opener_source; /* whose end is the session's; NULL: nobody's */
    char *opener_role;
    char *opener_principal;
    int64_t seed;
    bool is_healthy; /* the faults are left out */
    int64_t max_steps;
    int64_t time_limit_ms;
    int64_t idle_limit_ms;

    session_state_t state;
    bool is_ending;       /* on the way to closed or failed; no further action is taken */
    bool is_failing;      /* …to failed */
    char *reason;         /* why it failed, or what went wrong at its end; NULL: nothing */
    const char *ended_by; /* "submit", "max_steps", "time_limit", "idle_limit", "agent", "" */
    char *env;
    char *cluster;         /* the service instance that has it, as a target; NULL: not yet known */
    char *load;            /* NULL: none */
    json_t *plan;          /* the problem as it is with this seed: problem_instance() */
    int64_t fault_count;   /* of its faults that were asked for */
    json_t *phases;        /* milliseconds each state lasted */
    json_t *env_phases;    /* what env.info said of its creation; NULL: nothing */
    json_t *load_seen;     /* the load's sum; NULL: unknown */
    json_t *baseline;      /* what the evaluator saw before the fault; NULL: nothing */
    int64_t symptom_ms;    /* after the faults, the load showed them; -1: it did not */
    int64_t faulted_at_ms; /* when the faults were in force */
    double usual_p99_ms;   /* of the load before the fault; -1: it has not been good yet */

    json_t *trace;        /* [{role, content}] */
    int64_t step_count;   /* steps taken, the present one included */
    int64_t acting_ms;    /* how long the steps took; the rest of its turn the agent thought */
    int64_t shell_count;  /* of those that ran a command */
    step_t *step;         /* the one that is being executed; NULL: none */
    json_t *solution;     /* NULL: nothing was submitted */
    json_t *verdict;      /* {success, results}; NULL: not judged */
    json_t *result;       /* NULL: not yet */
    char *result_path;    /* NULL: not written */
    bool is_fault_undone; /* the fault ended before the session did */

    double start_time; /* Unix seconds: the agent's first chance to act, until then the opening */
    double end_time;   /* of the agent's turn; 0: it has not ended */
    int64_t state_since_ms;   /* monotonic, as is the rest */
    int64_t active_since_ms;  /* 0: not active */
    int64_t active_before_ms; /* time as active in former lives of the orchestrator */

    session_call_t call;  /* what the present state waits for */
    session_call_t watch; /* the health check */
    session_call_t late;  /* the baseline, and then the next of the faults that come later */
    session_call_t opener_watch;
    bool is_opener_missed; /* it was gone when last asked for */
    bool is_granted;       /* the agent's key has its grants */
    int deadline_timer;    /* of the state */
    int idle_timer;
    int limit_timer;
    int watch_timer;
    int64_t away_since_ms; /* the cluster service is silent since; 0: it is not */
    int state_subscription;
    int load_subscription;
    int fault_subscription;
    bus_request_t *closers[8]; /* who asked for the end and waits for it */
    size_t closer_count;
} session_t;

const char *session_state_name(session_state_t state);

/* SESSION_STATES if there is no such state. */
session_state_t session_state_parse(const char *name);

/* Whether the table of states allows the move. */
bool session_may_move(session_state_t from, session_state_t to);

/* Whether it is closed or failed: its environment is gone, its result final. */
bool session_is_over(const session_t *self);

/* Of the request only what it says of its sender is used. */
session_t *session_new(orchestrator_t *owner, const problem_t *problem, const session_open_t *open,
    const bus_request_t *request);

/* From what session_to_json() made; NULL with the reason if it does not fit. */
session_t *session_from_json(orchestrator_t *owner, const json_t *json, err_t *err);
json_t *session_to_json(const session_t *self);
void session_destroy(session_t **self_p);

/* Makes the plan, by problem, seed, and whether it is healthy. */
void session_plan(session_t *self);

/* The one function that changes state: asserts the move, books the time, records, logs, tells. */
void session_move(session_t *self, session_state_t state);

/* Writes the session as it is now into the store. */
int session_record(session_t *self, err_t *err);

/* As session.info; with the texts for the agent if is_full. What it points to is the session's,
 * but texts_p, which is for free(), and info->actions and phases, which are for json_decref(). */
void session_info(session_t *self, bool is_full, session_info_t *info, char *texts_p[2]);

/* Answers with session.info: with the texts once it is the agent's turn. */
void session_answer_info(session_t *session, bus_request_t **request_p);

/* Forgets the request and timers that the present state waits for. */
void session_forget_call(session_t *self, session_call_t *call);
void session_forget_timers(session_t *self);

/* Asks, on behalf of the session's state; a former question is forgotten. */
void session_ask(session_t *self, const char *target, const codec_type_t *type, const void *message,
    int64_t timeout_ms, bus_reply_fn *on_reply);

/* Whether the failure may pass: nobody there, too busy, no answer in time. Then calls again later,
 * with growing delay. */
bool session_retry(session_t *self, const bus_reply_t *reply, ev_timer_fn *again);

/* The same for another call than that of the state. */
bool session_retry_call(
    session_t *self, session_call_t *call, const bus_reply_t *reply, ev_timer_fn *again);

/* Unix seconds; for telling, never for measuring. */
double session_wall_clock(void);

/* Milliseconds that the agent has had, and has left. */
int64_t session_active_ms(const session_t *self);
int64_t session_time_left_ms(const session_t *self);

/* ---- session_setup.c */

/* Leaves `requested`. */
void session_start(session_t *self);

/* How long the present state may last. */
void session_set_deadline(session_t *self, int64_t delay_ms);

/* All faults that come first are in force. */
void session_on_faults(session_t *self);

/* The agent's turn begins; also after a restart of the orchestrator. */
void session_activate(session_t *self);

/* Starts anew the time in which the agent must act. */
void session_await_agent(session_t *self);

/* Goes on with a session of a former life of the orchestrator. */
void session_resume(session_t *self);

/* ---- session_faults.c */

/* Leaves `baseline` by way of session_on_faults(), once the faults that come first are in force. */
void session_inject(session_t *self);

/* Waits for the time of the next fault, if one is still to come in the agent's turn. */
void session_await_faults(session_t *self);

/* The injector's id of a fault; for free(). */
char *session_fault_name(const session_t *self, int64_t index);

/* ---- session_opener.c */

/* If it is tied to who opened it: ends with that, from now on. */
void session_watch_opener(session_t *self);

/* ---- session_act.c */

void session_act(session_t *self, bus_request_t **request_p, const session_act_t *act);

/* Answers a step that is under way with why it is not awaited. */
void session_abort_step(session_t *self, const char *why);

/* After a step: submits, if that is what it was or it was the last; else awaits the next. */
void session_go_on(session_t *self);

/* Reads the steps back from the store; one that was under way is answered with that. */
int session_read_steps(session_t *self, err_t *err);

/* ---- session_end.c */

/* The agent has submitted (solution is taken), or may not go on (NULL). */
void session_submit(session_t *self, json_t *solution, const char *ended_by);
void session_judge(session_t *self);
void session_clean_up(session_t *self);
void session_fail(session_t *self, const char *format, ...) __attribute__((format(printf, 2, 3)));
void session_close(session_t *self, bus_request_t **request_p, bool is_agent);

#endif
