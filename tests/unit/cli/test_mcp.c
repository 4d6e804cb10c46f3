/* What an MCP client is answered. */
#include "base/auto.h"
#include "cli/mcp.h"
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

typedef struct world {
    mcp_t mcp;
    char *action; /* the last that was done */
    const char *observation;
} world_t;

static const char *act(void *arg, const char *action)
{
    world_t *world = arg;
    free(world->action);
    world->action = strdup(action);
    return world->observation;
}

static int set_up(void **state)
{
    world_t *self = calloc(1, sizeof(*self));
    self->observation = "seen";
    self->mcp = (mcp_t){.description = "the task",
        .instructions = "how",
        .docs = json_pack("{s:s, s:s}", "exec_shell", "Runs", "submit", "Ends"),
        .schemas =
            json_pack("{s:{s:s, s:[s]}}", "exec_shell", "type", "object", "required", "command"),
        .act = act,
        .arg = self};
    *state = self;
    return 0;
}

static int tear_down(void **state)
{
    world_t *self = *state;
    json_decref((json_t *)self->mcp.docs);
    json_decref((json_t *)self->mcp.schemas);
    free(self->action);
    free(self);
    return 0;
}

/* The answer as text, with keys sorted; "" if there is none. */
static char *ask(world_t *self, const char *message)
{
    json_auto_t *answer = mcp_answer(&self->mcp, message, strlen(message));
    return answer ? json_dumps(answer, JSON_COMPACT | JSON_SORT_KEYS) : strdup("");
}

static void expect(world_t *self, const char *message, const char *answer)
{
    AUTO_FREE char *text = ask(self, message);
    assert_string_equal(text, answer);
}

static void the_revision_is_the_clients_if_it_is_known(void **state)
{
    AUTO_FREE char *old = ask(*state,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
        "\"2024-11-05\"}}");
    assert_non_null(strstr(old, "\"protocolVersion\":\"2024-11-05\""));
    assert_non_null(strstr(old, "\"instructions\":\"the task\""));
    AUTO_FREE char *unknown = ask(*state,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
        "\"1999\"}}");
    assert_non_null(strstr(unknown, "\"protocolVersion\":\"2025-06-18\""));
}

static void actions_are_tools(void **state)
{
    expect(*state, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"tools/list\"}",
        "{\"id\":\"a\",\"jsonrpc\":\"2.0\",\"result\":{\"tools\":[{\"description\":\"Runs\","
        "\"inputSchema\":{\"required\":[\"command\"],\"type\":\"object\"},\"name\":\"exec_shell\"},"
        "{\"description\":\"Ends\",\"inputSchema\":{\"type\":\"object\"},\"name\":\"submit\"}]}}");
}

static void a_call_is_an_action(void **state)
{
    world_t *self = *state;
    expect(self,
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/"
        "call\",\"params\":{\"name\":\"exec_shell\","
        "\"arguments\":{\"command\":\"echo \\\"a\\\\n\\\"\\nls\",\"timeout\":5}}}",
        "{\"id\":2,\"jsonrpc\":\"2.0\",\"result\":{\"content\":[{\"text\":\"seen\",\"type\":"
        "\"text\"}],"
        "\"isError\":false}}");
    assert_string_equal(self->action, "exec_shell(command=\"echo \\\"a\\\\n\\\"\nls\", timeout=5)");
}

static void values_are_written_as_an_agent_would(void **state)
{
    (void)state;
    json_auto_t *arguments = json_loads("{\"analysis\": [\"a\", {\"b\": null}]}", 0, NULL);
    AUTO_FREE char *some = mcp_action("submit", arguments);
    AUTO_FREE char *none = mcp_action("submit", NULL);
    assert_string_equal(some, "submit(analysis=[\"a\", {\"b\": null}])");
    assert_string_equal(none, "submit()");
}

static void a_session_that_is_over_is_told(void **state)
{
    world_t *self = *state;
    self->observation = NULL;
    AUTO_FREE char *text = ask(self, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/"
                                     "call\",\"params\":{\"name\":\"submit\"}}");
    assert_non_null(strstr(text, "\"isError\":true"));
    assert_non_null(strstr(text, "The session is over"));
}

static void what_nobody_waits_for_is_not_answered(void **state)
{
    expect(*state, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}", "");
    expect(*state, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", "");
}

static void errors_have_their_codes(void **state)
{
    static const struct {
        const char *message, *part;
    } cases[] = {
        {"{", "\"code\":-32700"},
        {"[]", "\"code\":-32600"},
        {"{\"id\":1}", "\"code\":-32600"},
        {"{\"id\":1,\"method\":\"no/such\"}", "\"code\":-32601"},
        {"{\"id\":1,\"method\":\"tools/call\"}", "\"code\":-32602"},
        {"{\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"nope\"}}",
            "Unknown tool: nope"},
        {"{\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"submit\",\"arguments\":7}}",
            "must be an object"},
        {"{\"id\":1,\"method\":\"resources/read\",\"params\":{\"uri\":\"x\"}}",
            "Unknown resource: x"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AUTO_FREE char *text = ask(*state, cases[i].message);
        if (!strstr(text, cases[i].part))
            fail_msg("%s: %s", cases[i].message, text);
    }
}

static void the_briefing_is_a_resource(void **state)
{
    AUTO_FREE char *text = ask(*state,
        "{\"id\":1,\"method\":\"resources/read\",\"params\":{\"uri\":\"aiopslab://briefing\"}}");
    assert_non_null(strstr(text, "\"text\":\"the task\\nhow\\n\""));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_revision_is_the_clients_if_it_is_known),
        TEST(actions_are_tools),
        TEST(a_call_is_an_action),
        TEST(values_are_written_as_an_agent_would),
        TEST(a_session_that_is_over_is_told),
        TEST(what_nobody_waits_for_is_not_answered),
        TEST(errors_have_their_codes),
        TEST(the_briefing_is_a_resource),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
