#include "base/auto.h"
#include "cli/agents/agent.h"

#include <string.h>

const agent_t *const agents[] = {&agent_deleter, &agent_heuristic, &agent_human, &agent_llm,
    &agent_mcp, &agent_noop, &agent_onlooker, &agent_oracle, &agent_random, &agent_restarter,
    &agent_roller, &agent_scaler};
const size_t agent_count = ARRAY_SIZE(agents);

const agent_t *agent_find(const char *name)
{
    for (size_t i = 0; i < agent_count; i++) {
        if (strcmp(agents[i]->name, name) == 0)
            return agents[i];
    }
    return NULL;
}
