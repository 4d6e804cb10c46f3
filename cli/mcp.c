#include "cli/mcp.h"

#include "base/auto.h"
#include "base/mem.h"

#include <string.h>

enum {
    PARSE_ERROR = -32700,
    INVALID_REQUEST = -32600,
    NO_METHOD = -32601,
    INVALID_PARAMS = -32602
};

static const char briefing_uri[] = "aiopslab://briefing";

static json_t *failure(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

static json_t *failure(int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    json_t *text = json_vsprintf(format, args);
    va_end(args);
    return json_pack("{s:{s:i, s:o}}", "error", "code", code, "message", text);
}

static json_t *success(json_t *result /* taken */)
{
    return json_pack("{s:o}", "result", result);
}

/* ---- the beginning ------------------------------------------------------------------------- */

/* The client's revision if it is one of ours, else our newest. */
static const char *revision(const json_t *wanted)
{
    static const char *const ours[] = {"2025-06-18", "2025-03-26", "2024-11-05"};
    for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
        if (json_is_string(wanted) && strcmp(json_string_value(wanted), ours[i]) == 0)
            return ours[i];
    }
    return ours[0];
}

static json_t *initialize(const mcp_t *self, const json_t *params)
{
    return success(json_pack("{s:s, s:{s:{}, s:{}}, s:{s:s, s:s}, s:s}", "protocolVersion",
        revision(json_object_get(params, "protocolVersion")), "capabilities", "tools", "resources",
        "serverInfo", "name", "aiopslab", "version", AIO_VERSION, "instructions",
        self->description));
}

static json_t *nothing(const mcp_t *self, const json_t *params)
{
    (void)self, (void)params;
    return success(json_object());
}

/* ---- tools --------------------------------------------------------------------------------- */

static json_t *list_tools(const mcp_t *self, const json_t *params)
{
    (void)params;
    json_t *tools = json_array();
    const char *name;
    json_t *doc;
    json_object_foreach((json_t *)self->docs, name, doc)
    {
        json_t *schema = json_object_get(self->schemas, name);
        json_array_append_new(
            tools, json_pack("{s:s, s:O, s:o}", "name", name, "description", doc, "inputSchema",
                       schema ? json_incref(schema) : json_pack("{s:s}", "type", "object")));
    }
    return success(json_pack("{s:o}", "tools", tools));
}

char *mcp_quoted(const char *command)
{
    char *text = xcalloc(2, strlen(command) + 2);
    char *out = text;
    *out++ = '"';
    for (; *command; command++) {
        if (*command == '"' || *command == '\\')
            *out++ = '\\';
        *out++ = *command;
    }
    *out = '"';
    return text;
}

char *mcp_action(const char *name, const json_t *arguments)
{
    char *call = xasprintf("%s(", name);
    const char *key;
    json_t *value;
    bool is_first = true;
    json_object_foreach((json_t *)arguments, key, value)
    {
        bool is_command = strcmp(key, "command") == 0 && json_is_string(value);
        AUTO_FREE char *text = is_command ? mcp_quoted(json_string_value(value))
                                          : mem_check(json_dumps(value, JSON_ENCODE_ANY));
        char *longer = xasprintf("%s%s%s=%s", call, is_first ? "" : ", ", key, text);
        free(call);
        call = longer;
        is_first = false;
    }
    char *whole = xasprintf("%s)", call);
    free(call);
    return whole;
}

static json_t *call_tool(const mcp_t *self, const json_t *params)
{
    const char *name = json_string_value(json_object_get(params, "name"));
    const json_t *arguments = json_object_get(params, "arguments");
    if (!name || !json_object_get(self->docs, name))
        return failure(INVALID_PARAMS, "Unknown tool: %s", name ? name : "(no name)");
    if (arguments && !json_is_object(arguments))
        return failure(INVALID_PARAMS, "'arguments' must be an object");
    AUTO_FREE char *action = mcp_action(name, arguments);
    const char *observation = self->act(self->arg, action);
    const char *text = observation ? observation : "The session is over; it takes no more actions.";
    return success(json_pack(
        "{s:[{s:s, s:s}], s:b}", "content", "type", "text", "text", text, "isError", !observation));
}

/* ---- resources ----------------------------------------------------------------------------- */

static json_t *list_resources(const mcp_t *self, const json_t *params)
{
    (void)self, (void)params;
    return success(json_pack("{s:[{s:s, s:s, s:s, s:s}]}", "resources", "uri", briefing_uri, "name",
        "briefing", "description", "The task, and how to act", "mimeType", "text/plain"));
}

static json_t *read_resource(const mcp_t *self, const json_t *params)
{
    const char *uri = json_string_value(json_object_get(params, "uri"));
    if (!uri || strcmp(uri, briefing_uri) != 0)
        return failure(INVALID_PARAMS, "Unknown resource: %s", uri ? uri : "(no uri)");
    AUTO_FREE char *text = xasprintf("%s\n%s\n", self->description, self->instructions);
    return success(json_pack(
        "{s:[{s:s, s:s, s:s}]}", "contents", "uri", uri, "mimeType", "text/plain", "text", text));
}

static json_t *list_templates(const mcp_t *self, const json_t *params)
{
    (void)self, (void)params;
    return success(json_pack("{s:[]}", "resourceTemplates"));
}

/* ---- messages ------------------------------------------------------------------------------ */

static const struct method {
    const char *name;
    json_t *(*run)(const mcp_t *self, const json_t *params);
} methods[] = {
    {"initialize", initialize},
    {"ping", nothing},
    {"tools/list", list_tools},
    {"tools/call", call_tool},
    {"resources/list", list_resources},
    {"resources/read", read_resource},
    {"resources/templates/list", list_templates},
};

static json_t *dispatch(const mcp_t *self, const char *name, const json_t *params)
{
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        if (strcmp(methods[i].name, name) == 0)
            return methods[i].run(self, params);
    }
    return failure(NO_METHOD, "Method not found: %s", name);
}

static json_t *addressed(json_t *answer /* taken */, json_t *id)
{
    json_object_set_new(answer, "jsonrpc", json_string("2.0"));
    json_object_set(answer, "id", id ? id : json_null());
    return answer;
}

json_t *mcp_answer(const mcp_t *self, const char *message, size_t size)
{
    json_error_t error;
    json_auto_t *request = json_loadb(message, size, 0, &error);
    if (!request)
        return addressed(failure(PARSE_ERROR, "Parse error: %s", error.text), NULL);
    json_t *id = json_object_get(request, "id");
    const char *method = json_string_value(json_object_get(request, "method"));
    bool is_answer = json_object_get(request, "result") || json_object_get(request, "error");
    if (!method && !is_answer)
        return addressed(failure(INVALID_REQUEST, "Invalid request: there is no method"), id);
    if (is_answer || !id)
        return NULL; /* to a question of ours, and we ask none; or a notification */
    return addressed(dispatch(self, method, json_object_get(request, "params")), id);
}
