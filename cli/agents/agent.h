/* agent - who acts in a session. An agent is a file in this folder with a const agent_t, and a
 * line in the table of agents.c.
 *
 * An agent's place in a session, its seat, holds what an agent from outside would hold: a key of
 * its own, to which the session was granted. What agents may do the broker and the orchestrator
 * decide; the operator's connection is out of reach (scripts/check-includes). The oracle alone is
 * told something besides, by the operator: the reference solution. */
#ifndef CLI_AGENTS_AGENT_H
#define CLI_AGENTS_AGENT_H

#include "chat/chat.h"
#include "cli/progress.h"
#include "cli/turn.h"

/* What the agent is asked for, as the documentation of `submit` tells. */
typedef enum { ASKED_DETECTION, ASKED_LOCALIZATION, ASKED_ANALYSIS, ASKED_MITIGATION } asked_t;

/* A language model, and how much of it may be used for one problem. */
typedef struct model {
    chat_t *chat;
    int64_t tokens_max;    /* in and out together; 0: no limit */
    double cost_max;       /* in the currency of the prices; 0: no limit */
    double price_in;       /* of a million tokens that the model reads */
    double price_out;      /* of a million that it writes */
    int64_t context_bytes; /* what one request may hold; observations of long ago are left out */
    FILE *transcript;      /* requests and replies, a line of JSON each; NULL: none */
    bool has_no_tools;     /* the endpoint does not take tools */
} model_t;

/* An agent's place in a session. */
typedef struct seat {
    turn_t *turn;    /* borrowed, as are lab and progress */
    struct lab *lab; /* for a terminal to wait by */
    progress_t *progress;
    session_expectation_t *told; /* only for an agent that is_told */
    const model_t *model;        /* only for an agent that needs_model; borrowed */
    session_info_t *briefing;    /* description, instructions, actions */
    asked_t asked;
    char *namespace; /* of the application */
    int64_t seed;
    int64_t step;
    session_observation_t *seen; /* the last; NULL: none */
    bool is_over;                /* no further action is wanted */
    bool is_quiet;               /* the agent shows its steps itself */
    bool has_left;               /* the agent gave up, and wants nothing more */
    err_t err;                   /* why the agent could not go on; code 0: it could */
} seat_t;

typedef struct agent {
    const char *name;
    const char *summary;
    bool is_told;        /* the operator tells it the answer */
    bool needs_model;    /* it thinks by a language model */
    bool has_stdout;     /* standard output is the agent's; what we tell goes to stderr */
    int64_t patience_ms; /* how long the session waits for it; 0: as long as for any other */

    /* Plays the session to its end, or gives up. */
    void (*play)(seat_t *seat);
} agent_t;

extern const agent_t *const agents[];
extern const size_t agent_count;

/* NULL if there is none. */
const agent_t *agent_find(const char *name);

extern const agent_t agent_deleter;
extern const agent_t agent_heuristic;
extern const agent_t agent_human;
extern const agent_t agent_llm;
extern const agent_t agent_mcp;
extern const agent_t agent_noop;
extern const agent_t agent_onlooker;
extern const agent_t agent_oracle;
extern const agent_t agent_random;
extern const agent_t agent_restarter;
extern const agent_t agent_roller;
extern const agent_t agent_scaler;

/* ---- the seat ------------------------------------------------------------------------------ */

/* Asks for the briefing. */
int seat_init(seat_t *self, err_t *err);
void seat_done(seat_t *self);

/* Does one action, such as `get_logs("ns", "geo")`, and returns what was observed, until the next
 * one; NULL when the session is over for the agent or broken. After the last action, such as
 * submit, the observation still comes, and is_over is set. */
const char *seat_act(seat_t *self, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same with all that the agent said, in which the action is between backticks. */
const char *seat_say(seat_t *self, const char *text);

/* Asks once more for what was observed, after the wait for it was interrupted. */
const char *seat_await(seat_t *self, const char *action);

/* exec_shell with a command that may have quotes and lines of its own. */
const char *seat_shell(seat_t *self, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
