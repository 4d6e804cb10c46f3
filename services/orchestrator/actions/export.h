/* export - what get_metrics and get_traces share: files from telemetry go into the agent's home. */
#ifndef ORCHESTRATOR_ACTIONS_EXPORT_H
#define ORCHESTRATOR_ACTIONS_EXPORT_H

#include "services/orchestrator/step.h"

/* Puts files, an array of {path, text} (taken), into the agent's home one by one; then the step
 * ends with the observation (taken). */
void export_put(step_t *step, json_t *files, char *observation);

#endif
