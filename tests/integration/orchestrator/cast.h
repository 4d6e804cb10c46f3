/* cast - an orchestrator in virtual time, with players for all the services that it speaks to. */
#ifndef TESTS_INTEGRATION_ORCHESTRATOR_CAST_H
#define TESTS_INTEGRATION_ORCHESTRATOR_CAST_H

#include "services/orchestrator/orchestrator.h"
#include "tests/support/bus_world.h"

typedef struct cast {
    bus_world_t *world;
    metrics_t *metrics;
    orchestrator_t *orchestrator;
    bus_t *own; /* the orchestrator's */
    bus_t *cluster, *loadgen, *injector, *evaluator, *telemetry;
    bus_t *client;
    char folder[64];      /* of database and results */
    const char *problems; /* folder of problems; NULL: those that are shipped */

    /* How they play. */
    const char *env_error;   /* env.create fails with it */
    bool is_env_lost;        /* env.get says not-found */
    bool is_loadgen_mute;    /* no reports */
    int64_t errors;          /* of 100 requests, before the fault */
    int64_t fault_errors;    /* of 100 requests, with the fault */
    const char *fault_state; /* what fault.inject ends in */
    bool is_exec_slow;       /* env.exec is kept */
    bool is_verdict_kept;    /* session.judge is kept */
    bool is_success;         /* the verdict */
    bool is_baseline_kept;   /* baseline.take is not answered */

    /* What they saw. */
    char env[32], fault_id[64], load[32], command[256], put_path[256];
    int created, deleted, executed, put, judged, injected, baselines, faults_judged;
    bool is_fault_active;
    json_t *solution; /* as it came to the evaluator; NULL: none */
    int load_timer;
    int64_t second;
    bus_request_t *kept, *kept_baseline;
} cast_t;

/* As cmocka setup and teardown; *state is a cast_t whose orchestrator serves. */
int cast_set_up(void **state);
int cast_tear_down(void **state);

/* As after kill -9: the store is all that is left of it. */
void cast_kill_orchestrator(cast_t *self);
void cast_start_orchestrator(cast_t *self);
void cast_restart_orchestrator(cast_t *self);

/* Opens a session; the id is in static memory. */
const char *cast_open(cast_t *self, const session_open_t *open);
void cast_close(cast_t *self, const char *session);

void cast_run(cast_t *self, int64_t span_ms);

/* "state" or "state: reason", in static memory. */
const char *cast_state(cast_t *self, const char *session);

/* Acts; the observation, or "code: text" of the error, in static memory. */
const char *cast_act(cast_t *self, const char *session, int64_t step, const char *action);

/* The result; a new reference. */
json_t *cast_result(cast_t *self, const char *session);

/* Says that the fault is no longer in force. */
void cast_end_fault(cast_t *self, const char *how);

/* Says that the environment is gone. */
void cast_end_env(cast_t *self);

/* Answers the env.exec or session.judge that was kept. */
void cast_answer_exec(cast_t *self, const char *output);
void cast_answer_judge(cast_t *self);
void cast_answer_baseline(cast_t *self);

#endif
