/* agent - the agent's sandbox of an environment: where its shell commands run.
 *
 * A pod's network, a root like a container's, a home of its own with a kubeconfig, and no rights
 * beyond. Each command has a pid namespace that dies with it. */
#ifndef CLUSTER_ENV_AGENT_H
#define CLUSTER_ENV_AGENT_H

#include "base/err.h"
#include "services/cluster/runtime/runtime.h"

typedef struct agent agent_t;

typedef struct agent_config {
    const char *work_dir; /* the home is made in it */
    const char *kubectl;  /* program for the sandbox; "" for none */
    const char *token;
    const char *ca; /* PEM */
} agent_config_t;

agent_t *agent_new(runtime_t *runtime, const agent_config_t *config, err_t *err);
void agent_destroy(agent_t **self_p);

/* Runs a command by bash in the home. */
command_t *agent_exec(agent_t *self, const char *command, int64_t timeout_ms, size_t output_limit,
    command_done_fn *on_done, void *arg, err_t *err);

/* A command whose streams are somebody else's. */
typedef struct agent_task {
    char *const *argv;
    const char *terminal; /* its type, as in TERM; NULL: pipes */
    int columns, rows;
} agent_task_t;

/* Starts one, with what it may do as of agent_exec(). on_exit as for task_start(). */
task_t *agent_start(agent_t *self, const agent_task_t *wanted, streams_t *streams_p,
    container_exit_fn *on_exit, void *arg, err_t *err);

/* Writes a file below the home; folders on the way are made. The path is relative and stays inside.
 */
int agent_put(agent_t *self, const char *path, const void *bytes, size_t size, err_t *err);

#endif
