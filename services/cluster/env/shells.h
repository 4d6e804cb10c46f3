/* shells - commands in the agent's sandbox that somebody outside holds the streams of.
 *
 * Who connects to the socket sends a line of JSON, {"argv": […], "terminal": {"type", "columns",
 * "rows"}} (pipes without "terminal"), and gets {"started": true} with the descriptors of the
 * command's input, output and, without a terminal, errors; then {"exit": code} once it has ended.
 * Or {"error": "…"}. Who hangs up ends the command with all that it started. */
#ifndef CLUSTER_ENV_SHELLS_H
#define CLUSTER_ENV_SHELLS_H

#include "services/cluster/env/agent.h"

typedef struct shells shells_t;

/* Listens at the path for as long as the process lives. */
shells_t *shells_new(ev_t *ev, agent_t *agent, const char *path, err_t *err);

#endif
