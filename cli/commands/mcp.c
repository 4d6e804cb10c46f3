/* mcp: a problem for whoever speaks the Model Context Protocol, such as a coding agent that starts
 * this command as its server. */
#include "cli/command.h"

#include "base/auto.h"
#include "base/mem.h"

#include <string.h>

static int run(int argc, char **argv)
{
    AUTO_FREE char **args = xcalloc((size_t)argc + 3, sizeof(*args));
    args[0] = argv[0];
    args[1] = (char *)"--agent";
    args[2] = (char *)"mcp";
    memcpy(args + 3, argv + 1, (size_t)(argc - 1) * sizeof(*args));
    return command_run.run(argc + 2, args);
}

const command_t command_mcp = {
    .name = "mcp", .summary = "let an agent that speaks MCP work on a problem", .run = run};
