/* original - AIOpsLab's own rules, faults and all, for who compares with its numbers. */
#ifndef EVALUATOR_ORIGINAL_H
#define EVALUATOR_ORIGINAL_H

#include "bus/bus.h"
#include "proto/messages.h"

/* Judges an answer as the original does, and adds its keys; what it does not have, success of a
 * detection, is returned alone. */
bool original_grade(
    const char *task, const json_t *expected, const json_t *solution, json_t *results);

/* Whether pods (a PodList) pass the rule: all_pods, wait_ready or pods_and_command. */
bool original_pods_pass(const char *rule, const json_t *pods);

/* Whether every container of a Deployment is started by a command that names the program. */
bool original_command_is(const json_t *deployment, const char *program);

typedef struct original original_t;
typedef void(original_done_fn)(void *arg, const err_t *err, bool is_mitigated);

/* Looks at the pods as the original does after a mitigation; judge is copied. on_done is called
 * once; the look is to be destroyed afterwards, also from within it. */
original_t *original_new(
    ev_t *ev, bus_t *bus, const session_judge_t *judge, original_done_fn *on_done, void *arg);
void original_destroy(original_t **self_p);

#endif
