/* problem - what a session is about: the files of this folder, read and checked.
 *
 * A file describes a family: one application, one way to break it, and a problem for each task
 * that can be set about it. docs/writing-a-problem.md explains every key. */
#ifndef PROBLEMS_PROBLEM_H
#define PROBLEMS_PROBLEM_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { TASK_DETECTION, TASK_LOCALIZATION, TASK_ANALYSIS, TASK_MITIGATION } task_t;

/* "detection" and so on. */
const char *task_name(task_t task);

typedef struct problem_parameter {
    char *name;
    char *value;
} problem_parameter_t;

/* What differs from seed to seed: ${name} stands for one of the values, everywhere in the file.
 * Successive seeds take them in turn. */
typedef struct problem_vary {
    char *name;
    char **values;
    uint32_t value_count;
    char *label; /* instead of values: the Deployments with this label */
} problem_vary_t;

typedef struct problem_fault {
    char *fault;    /* a name in the injector's table */
    char **targets; /* as lib/faults knows them: a name, label:KEY=VALUE, … */
    uint32_t target_count;
    uint32_t after_ms;               /* how long after the first of the faults; 0: with it */
    problem_parameter_t *parameters; /* what differs from the fault's defaults */
    uint32_t parameter_count;
} problem_fault_t;

/* What load must show before the agent starts, so that no one is asked for an invisible fault. */
typedef struct problem_symptom {
    uint32_t errors_percent; /* of the requests of one second */
    uint32_t within_ms;      /* after the fault was put in; else the session is void */
} problem_symptom_t;

typedef struct problem_load {
    char *url; /* as seen from within the environment */
    char *mix;
    char *distribution;
    uint32_t rate; /* requests a second */
    uint32_t connections;
} problem_load_t;

/* What must hold, and for how long, after a mitigation; all of it is measured, not believed. */
typedef struct problem_mitigation {
    char **deployments; /* each must exist, want replicas, and have them; none: all there are */
    uint32_t deployment_count;
    char **recreate; /* Deployments whose pods are deleted, to see that new ones come up right */
    uint32_t recreate_count;
    char **cures; /* lazy agents (cli/agents/lazy.c) whose way is a cure here */
    uint32_t cure_count;
    char **gambles; /* lazy agents whose outcome hangs on timing */
    uint32_t gamble_count;
    char *original;           /* AIOpsLab's rule for it; NULL: it has none */
    uint32_t settle_ms;       /* how long it may take from the submission on */
    uint32_t hold_ms;         /* how long it must last */
    uint32_t load_ms;         /* the length of the fresh load */
    uint32_t success_percent; /* of its requests */
    uint32_t slower_ms;       /* how much slower its p99 may be than before the fault */
} problem_mitigation_t;

/* Another list of actions that solves it. */
typedef struct problem_solution {
    char **actions;
    uint32_t action_count;
} problem_solution_t;

/* The right answer; which fields count depends on the task. */
typedef struct problem_expected {
    char *anomaly;     /* "Yes" or "No" */
    char **components; /* all of them, and nothing else */
    uint32_t component_count;
    char **also_accepted; /* names each of which, alone, is right as well */
    uint32_t also_count;
    char *system_level;
    char *fault_type;
} problem_expected_t;

struct application;
struct problem_family;

typedef struct problem {
    char *id;
    task_t task;
    problem_expected_t *expected;         /* NULL for mitigation */
    problem_mitigation_t *mitigated_when; /* NULL for all but mitigation */
    char **solution;                      /* public actions that solve it; agents never see them */
    uint32_t solution_count;
    problem_solution_t *other_solutions;
    uint32_t other_count;
    const struct problem_family *family; /* borrowed from the registry */
} problem_t;

typedef struct problem_family {
    char *family;
    char *summary; /* for people who choose a problem; gives nothing away that the id does not */
    char *application; /* a folder of apps/ */
    char *namespace;   /* NULL in the file: as the application says, as with about and load */
    char *about;       /* of the application: what the agent is told of it */
    char *evaluator;   /* the service that judges; NULL: ours */
    problem_vary_t *vary;
    uint32_t vary_count;
    problem_fault_t *faults;
    uint32_t fault_count;
    char **evidence; /* texts in which the fault shows, wherever an agent looks */
    uint32_t evidence_count;
    problem_symptom_t *symptom; /* NULL: the agent starts as soon as the fault is in force */
    problem_load_t *load;
    problem_t *problems;
    uint32_t problem_count;
    const struct application *facts; /* borrowed from the registry */
} problem_family_t;

typedef struct problem_registry problem_registry_t;

/* Where problems are, and what they are held against. */
typedef struct problem_sources {
    const char *folder;   /* of the problems */
    const char *apps_dir; /* the applications; NULL: apps in the data folder */
} problem_sources_t;

/* Reads every *.yaml below the folder, in the order of their names. Fails on the first mistake:
 * file, line, column, and what was expected. */
problem_registry_t *problem_registry_new(const problem_sources_t *sources, err_t *err);
void problem_registry_destroy(problem_registry_t **self_p);

/* All problems, sorted by id. */
size_t problem_registry_count(const problem_registry_t *self);
const problem_t *problem_registry_at(const problem_registry_t *self, size_t index);

/* NULL with ERR_NOT_FOUND, and the nearest ids in the sentence, if there is none of this id. */
const problem_t *problem_registry_find(const problem_registry_t *self, const char *id, err_t *err);

/* The problem as it is with this seed, for services: {id, task, application, namespace, faults,
 * load, expected, solutions, …}, where `expected` of a mitigation is what must hold, and solutions
 * is a list of lists of actions. A new reference. */
json_t *problem_instance(const problem_t *self, int64_t seed);

/* Makes it the same without faults: what is expected is that nothing is wrong. */
void problem_instance_heal(json_t *instance);

/* What everybody may know: {id, task, family, application, namespace, summary}. A new reference. */
json_t *problem_to_public_json(const problem_t *self);

#endif
