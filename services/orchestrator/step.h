/* step - one action of an agent while it is being executed. */
#ifndef ORCHESTRATOR_STEP_H
#define ORCHESTRATOR_STEP_H

#include "bus/bus.h"
#include "services/orchestrator/parser.h"

struct session;

enum { STEP_WAITERS_MAX = 8 };

typedef struct step {
    struct session *session; /* borrowed: it owns the step */
    int64_t number;
    char *action;
    parsed_t parsed;
    json_t *arguments;                        /* by name, as the action's parameters say */
    bus_request_t *waiters[STEP_WAITERS_MAX]; /* who asked for it: a repetition joins */
    size_t waiter_count;
    int call; /* the request to another service; 0: none */
    int64_t began_ms;
    json_t *files; /* still to be put into the agent's home */
    size_t next_file;
    char *pending; /* the observation, once those are there */
} step_t;

/* Ends the step: records the observation (taken), answers whoever waits for it, and goes on with
 * the session. The step is gone afterwards. */
void step_finish(step_t *step, char *raw_observation);

/* As above, with a formatted observation. */
void step_say(step_t *self, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Frees it, without a word to anybody. */
void step_free(step_t *step);

/* Asks another service on behalf of the step. */
void step_ask(step_t *self, const char *target, const codec_type_t *type, const void *message,
    int64_t timeout_ms, bus_reply_fn *on_reply);

/* What the agent gave for a parameter; NULL if it gave nothing. */
const char *step_text(const step_t *self, const char *parameter);
int64_t step_integer(const step_t *self, const char *parameter, int64_t otherwise);

#endif
