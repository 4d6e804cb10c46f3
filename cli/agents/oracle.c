/* oracle: is told the reference solution, and plays it by the actions that every agent has. What
 * it cannot solve, nobody can. */
#include "cli/agents/agent.h"

static void play(seat_t *seat)
{
    size_t i;
    json_t *action;
    json_array_foreach(seat->told->actions, i, action)
    {
        if (!seat_act(seat, "%s", json_string_value(action)))
            break;
    }
}

const agent_t agent_oracle = {.name = "oracle",
    .summary = "is told the reference solution by the operator, and plays it",
    .is_told = true,
    .play = play};
