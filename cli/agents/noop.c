/* noop: does nothing, and hands in that nothing is wrong. A problem that it solves is no problem,
 * unless nothing is wrong indeed. */
#include "cli/agents/agent.h"

static void play(seat_t *seat)
{
    static const char *const answers[] = {
        [ASKED_DETECTION] = "submit(\"No\")",
        [ASKED_LOCALIZATION] = "submit([])",
        [ASKED_ANALYSIS] = "submit()",
        [ASKED_MITIGATION] = "submit()",
    };
    (void)seat_act(seat, "%s", answers[seat->asked]);
}

const agent_t agent_noop = {
    .name = "noop", .summary = "does nothing and says that nothing is wrong", .play = play};
