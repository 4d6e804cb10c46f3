/* What an MCP client sends is foreign: each message has one answer at most, and it is JSON-RPC. */
#include "base/auto.h"
#include "cli/mcp.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *act(void *arg, const char *action)
{
    (void)arg;
    return action;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_auto_t *docs = json_pack("{s:s, s:s}", "exec_shell", "Runs", "submit", "Ends");
    json_auto_t *schemas = json_object();
    mcp_t mcp = {
        .description = "d", .instructions = "i", .docs = docs, .schemas = schemas, .act = act};
    json_auto_t *answer = mcp_answer(&mcp, (const char *)data, size);
    bool has_result = json_object_get(answer, "result");
    bool has_error = json_object_get(answer, "error");
    if (answer && (has_result == has_error || !json_object_get(answer, "id")))
        abort();
    return 0;
}
