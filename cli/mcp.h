/* mcp - the Model Context Protocol, as a server that has the actions of one session for tools and
 * its briefing for a resource. Knows nothing of how messages travel.
 *
 * Source: modelcontextprotocol.io/specification, revisions 2024-11-05 to 2025-06-18; JSON-RPC 2.0.
 */
#ifndef CLI_MCP_H
#define CLI_MCP_H

#include <jansson.h>
#include <stdbool.h>

typedef struct mcp {
    const char *description; /* all borrowed */
    const char *instructions;
    const json_t *docs;    /* {action: what it does} */
    const json_t *schemas; /* {action: JSON Schema of its arguments} */

    /* Does an action, as an agent writes it, and returns what was observed, borrowed until the
     * next; NULL when the session takes no more. */
    const char *(*act)(void *arg, const char *action);
    void *arg;
} mcp_t;

/* The answer to a message of a client, a new reference; NULL: none is wanted. */
json_t *mcp_answer(const mcp_t *self, const char *message, size_t size);

/* A command between double quotes, as an action takes it; its lines may stand as they are. In new
 * memory, for free(). */
char *mcp_quoted(const char *command);

/* The call of an action as an agent writes it, in new memory, for free(). */
char *mcp_action(const char *name, const json_t *arguments);

#endif
