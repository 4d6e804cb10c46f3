/* texts - what the agent is told at the beginning. */
#ifndef ORCHESTRATOR_TEXTS_H
#define ORCHESTRATOR_TEXTS_H

#include "problems/problem.h"

/* The task and the application; new memory, for free(). */
char *texts_description(const problem_t *problem);

/* How to act and to answer; new memory, for free(). */
char *texts_instructions(const problem_t *problem);

/* The actions, {name: what it does}. A new reference. */
json_t *texts_actions(const problem_t *problem);

/* Their arguments, {name: JSON Schema}. A new reference. */
json_t *texts_schemas(const problem_t *problem);

#endif
