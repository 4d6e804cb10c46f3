#include "base/auto.h"
#include "services/orchestrator/action.h"
#include "services/orchestrator/texts.h"
#include "tests/support/test.h"

#include <string.h>

/* Binds the arguments of a call to an action of a task: JSON, or the complaint. */
static char *bind_text(task_t task, const char *name, const char *args, const char *kwargs)
{
    parsed_t call = {.args = json_loads(args, 0, NULL), .kwargs = json_loads(kwargs, 0, NULL)};
    json_t *arguments = NULL;
    char *complaint = NULL;
    int rc = action_bind(action_find(task, name), &call, &arguments, &complaint);
    char *text = rc < 0 ? complaint : json_dumps(arguments, JSON_COMPACT);
    json_decref(arguments);
    json_decref(call.args);
    json_decref(call.kwargs);
    return text;
}

static void expect(
    task_t task, const char *name, const char *args, const char *kwargs, const char *expected)
{
    AUTO_FREE char *text = bind_text(task, name, args, kwargs);
    assert_string_equal(text, expected);
}

static void arguments_bind_by_place_and_by_name(void **state)
{
    (void)state;
    const char *bound = "{\"namespace\":\"a\",\"service\":\"b\"}";
    expect(TASK_DETECTION, "get_logs", "[\"a\", \"b\"]", "{}", bound);
    expect(TASK_DETECTION, "get_logs", "[\"a\"]", "{\"service\": \"b\"}", bound);
}

static void a_whole_number_may_come_as_text(void **state)
{
    (void)state;
    expect(TASK_DETECTION, "get_metrics", "[\"a\", \"5\"]", "{}",
        "{\"namespace\":\"a\",\"duration\":5}");
}

static void what_is_wrong_with_arguments_is_said(void **state)
{
    (void)state;
    expect(TASK_DETECTION, "get_logs", "[\"a\", \"b\", \"c\"]", "{}",
        "get_logs() takes 2 arguments (namespace, service), not 3.");
    expect(TASK_DETECTION, "get_logs", "[\"a\"]", "{\"pod\": \"b\"}",
        "get_logs() has no argument 'pod'; it takes namespace, service.");
    expect(TASK_DETECTION, "get_logs", "[\"a\"]", "{\"namespace\": \"b\"}",
        "get_logs() was given 'namespace' twice.");
    expect(TASK_DETECTION, "get_logs", "[7, \"b\"]", "{}",
        "'namespace' of get_logs() must be a text in quotes.");
    expect(TASK_DETECTION, "submit", "[]", "{}", "submit() needs the argument 'has_anomaly'.");
}

static void submit_takes_what_its_task_asks_for(void **state)
{
    (void)state;
    expect(TASK_LOCALIZATION, "submit", "[[\"geo\"]]", "{}", "{\"faulty_components\":[\"geo\"]}");
    expect(TASK_ANALYSIS, "submit", "[]", "{}", "{}");
    expect(TASK_MITIGATION, "submit", "[]", "{}", "{}");
}

static void every_task_has_the_seven_actions_sorted(void **state)
{
    (void)state;
    for (task_t task = TASK_DETECTION; task <= TASK_MITIGATION; task++) {
        size_t count;
        const action_t *const *table = action_table(task, &count);
        assert_int_equal(count, 7);
        for (size_t i = 1; i < count; i++)
            assert_true(strcmp(table[i - 1]->name, table[i]->name) < 0);
    }
}

/* An example that the parser refuses would mislead every agent. */
static void every_example_is_a_right_call(void **state)
{
    (void)state;
    for (task_t task = TASK_DETECTION; task <= TASK_MITIGATION; task++) {
        size_t count;
        const action_t *const *table = action_table(task, &count);
        AUTO_FREE const char **names = action_names(task, &count);
        for (size_t i = 0; i < count; i++) {
            parsed_t parsed;
            char *complaint = NULL;
            json_t *arguments = NULL;
            assert_int_equal(parser_parse(table[i]->example, names, count, &parsed, &complaint), 0);
            assert_int_equal(action_bind(table[i], &parsed, &arguments, &complaint), 0);
            json_decref(arguments);
            parser_free(&parsed);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_bind_by_place_and_by_name),
        cmocka_unit_test(a_whole_number_may_come_as_text),
        cmocka_unit_test(what_is_wrong_with_arguments_is_said),
        cmocka_unit_test(submit_takes_what_its_task_asks_for),
        cmocka_unit_test(every_task_has_the_seven_actions_sorted),
        cmocka_unit_test(every_example_is_a_right_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
