/* action - what an agent may do in a step.
 *
 * An action is a file in actions/ with a const action_t, and a line in the table of actions.c. */
#ifndef ORCHESTRATOR_ACTION_H
#define ORCHESTRATOR_ACTION_H

#include "problems/problem.h"
#include "services/orchestrator/step.h"

typedef enum { PARAMETER_TEXT, PARAMETER_INTEGER, PARAMETER_ANY } parameter_kind_t;

typedef struct action_parameter {
    const char *name; /* NULL ends a table */
    parameter_kind_t kind;
    bool is_optional;
} action_parameter_t;

typedef struct action {
    const char *name;
    const char *doc;                      /* for the agent */
    const char *example;                  /* a right call */
    const action_parameter_t *parameters; /* in the order of positional arguments; NULL: none */
    void (*run)(step_t *step);            /* must lead to step_finish() */
} action_t;

enum { ACTION_OUTPUT_MAX = 64 * 1024 }; /* bytes of an observation that come from elsewhere */

/* The actions of a task, sorted by name. */
const action_t *const *action_table(task_t task, size_t *count_p);

/* NULL if there is none of this name. */
const action_t *action_find(task_t task, const char *name);

/* Their names, in new memory, for free(); the names are the table's. */
const char **action_names(task_t task, size_t *count_p);

/* Gives the arguments of a call their names. Returns 0, or -1 and in *complaint_p a sentence for
 * the agent, for free(). */
int action_bind(
    const action_t *self, const parsed_t *call, json_t **arguments_p, char **complaint_p);

extern const action_t action_exec_shell;
extern const action_t action_get_logs;
extern const action_t action_get_metrics;
extern const action_t action_get_traces;
extern const action_t action_read_metrics;
extern const action_t action_read_traces;
extern const action_t action_submit_detection;
extern const action_t action_submit_localization;
extern const action_t action_submit_analysis;
extern const action_t action_submit_mitigation;

#endif
