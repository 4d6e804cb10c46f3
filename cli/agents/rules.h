/* rules - by what the heuristic agent tells that something is wrong, where, and of what kind. */
#ifndef CLI_AGENTS_RULES_H
#define CLI_AGENTS_RULES_H

#include "cli/agents/scene.h"

typedef struct rule {
    const char *what;
    int points;
    bool is_symptom; /* by itself a sign that something is wrong */
    bool (*holds)(const scene_t *scene, const workload_t *workload);
    const char *system_level; /* if it is what weighs most */
    const char *fault_type;

    /* The command that mends it, for free(); NULL: there is none to be known. */
    char *(*mend)(const scene_t *scene, const workload_t *workload, const char *namespace);
} rule_t;

/* How much speaks against a workload. */
int rules_points(const scene_t *scene, const workload_t *workload);

/* Whether anything shows that something is wrong. */
bool rules_is_anomaly(const scene_t *scene);

/* The workload that most speaks against, or NULL if nothing is wrong. */
const workload_t *rules_culprit(const scene_t *scene);

/* What weighs most of that which holds for a workload; NULL: nothing does. */
const rule_t *rules_verdict(const scene_t *scene, const workload_t *workload);

#endif
