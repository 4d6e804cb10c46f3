/* grader - the rule by which one task is judged: a file in graders/, a line in the table.
 *
 * Most need nothing but the answer. Mitigation is measured in the environment: mitigation.h. */
#ifndef EVALUATOR_GRADER_H
#define EVALUATOR_GRADER_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>

typedef struct grader {
    const char *task;
    const char *time_key; /* TTD and so on: seconds that the agent took */

    /* Judges the solution (NULL if nothing was submitted) and adds the task's keys to results.
     * NULL for what has to be measured. */
    bool (*grade)(const json_t *expected, const json_t *solution, json_t *results);
} grader_t;

/* NULL with ERR_NOT_FOUND if there is none for this task. */
const grader_t *grader_find(const char *task, err_t *err);

/* The keys that all tasks have: time, steps, in_tokens, out_tokens. */
void grader_add_common(
    const grader_t *self, const json_t *trace, double duration_s, json_t *results);

/* evidence_seen: the share of the texts under `evidence` that the agent's tools showed it before it
 * submitted; not there if the problem names none. */
void grader_add_evidence(const json_t *problem, const json_t *trace, json_t *results);

/* Whether two texts are the same but for case and blanks around them; false if either is NULL. */
bool grader_is_same_word(const char *a, const char *b);

extern const grader_t grader_detection;
extern const grader_t grader_localization;
extern const grader_t grader_analysis;
extern const grader_t grader_mitigation;

#endif
