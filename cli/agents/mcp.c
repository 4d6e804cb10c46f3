/* mcp: whoever speaks the Model Context Protocol on standard input and output. */
#include "cli/mcp.h"
#include "base/auto.h"
#include "base/mem.h"
#include "cli/agents/agent.h"
#include "cli/lines.h"

#include <stdio.h>
#include <string.h>

enum { PATIENCE_MS = 2 * 60 * 60 * 1000 };

static const char *act(void *arg, const char *action)
{
    return seat_act(arg, "%s", action);
}

static void answer(const mcp_t *mcp, const char *line)
{
    json_auto_t *message = mcp_answer(mcp, line, strlen(line));
    if (!message)
        return;
    json_dumpf(message, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
}

/* Goes on when the session is over: the client is to hear so, and ends when it likes. */
static void play(seat_t *seat)
{
    const session_info_t *briefing = seat->briefing;
    mcp_t mcp = {.description = briefing->description,
        .instructions = briefing->instructions,
        .docs = briefing->actions,
        .schemas = briefing->schemas,
        .act = act,
        .arg = seat};
    AUTO(lines_destroy) lines_t *lines = lines_new(seat->lab);
    for (char *line; (line = lines_read(lines)); free(line)) {
        if (*line)
            answer(&mcp, line);
    }
}

const agent_t agent_mcp = {.name = "mcp",
    .summary = "who speaks the Model Context Protocol on standard input and output",
    .has_stdout = true,
    .patience_ms = PATIENCE_MS,
    .play = play};
