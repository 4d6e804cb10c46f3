/* oracle: is told the reference solution, and plays it by the actions that every agent has. What
 * it cannot solve, nobody can. */
#include "cli/agents/agent.h"

static void play(seat_t *seat)
{
    session_expectation_t *told = NULL;
    if (session_answer(seat->session, &told, &seat->err) < 0)
        return;
    size_t i;
    json_t *action;
    json_array_foreach(told->actions, i, action)
    {
        if (!seat_act(seat, "%s", json_string_value(action)))
            break;
    }
    codec_free(&session_expectation_type, told);
}

const agent_t agent_oracle = {.name = "oracle",
    .summary = "is told the reference solution, and plays it",
    .is_told = true,
    .play = play};
