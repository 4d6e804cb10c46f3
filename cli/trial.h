/* trial - one problem, one agent, from the opening of the session to its result. */
#ifndef CLI_TRIAL_H
#define CLI_TRIAL_H

#include "cli/agents/agent.h"
#include "cli/lab.h"

typedef struct trial {
    lab_t *lab; /* all borrowed */
    progress_t *progress;
    const agent_t *agent;
    const model_t *model; /* for an agent that needs one */
    const char *problem;
    const char *results_dir; /* absolute; NULL: the orchestrator's own */
    int64_t seed;
    int64_t max_steps;   /* 0: as many as the orchestrator gives */
    int64_t solution;    /* for an agent that is told: which of those that are accepted */
    const char *scoring; /* "original", or NULL */
    bool is_healthy;     /* without the fault */
    bool is_lab_kept;    /* a private lab, too, is still needed afterwards */
    bool *has_left_p;    /* where to say that the agent wants nothing more; or NULL */
} trial_t;

/* Plays it. *result_p is a new reference to the session's result, with its file under
 * "result_path" (null if it could not be written). Fails when there is none: the session could not
 * be opened, was interrupted, or the system broke. */
int trial_play(const trial_t *self, json_t **result_p, err_t *err);

/* "Correct" and so on, by the result: new memory, for free(). *is_success_p; *is_void_p: there is
 * no verdict. */
char *trial_verdict(const json_t *result, bool *is_success_p, bool *is_void_p);

#endif
