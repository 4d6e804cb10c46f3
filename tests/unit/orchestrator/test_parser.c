#include "base/auto.h"
#include "base/mem.h"
#include "services/orchestrator/parser.h"
#include "tests/support/test.h"

static const char *const actions[] = {
    "exec_shell", "get_logs", "get_metrics", "get_traces", "read_metrics", "read_traces", "submit"};

/* Parses and renders the call as name, args and kwargs in JSON, or the complaint. */
static char *read_text(const char *text)
{
    parsed_t parsed;
    char *complaint = NULL;
    if (parser_parse(text, actions, ARRAY_SIZE(actions), &parsed, &complaint) < 0)
        return complaint;
    AUTO_FREE char *args = json_dumps(parsed.args, JSON_COMPACT | JSON_ENCODE_ANY);
    AUTO_FREE char *kwargs = json_dumps(parsed.kwargs, JSON_COMPACT | JSON_ENCODE_ANY);
    char *result = xasprintf("%s %s %s%s%s", parsed.name, args, kwargs, parsed.note ? " " : "",
        parsed.note ? parsed.note : "");
    parser_free(&parsed);
    return result;
}

static void expect(const char *text, const char *expected)
{
    AUTO_FREE char *result = read_text(text);
    assert_string_equal(result, expected);
}

static void the_original_form_is_understood(void **state)
{
    (void)state;
    expect("```\nget_logs(\"test-hotel-reservation\", \"geo\")\n```",
        "get_logs [\"test-hotel-reservation\",\"geo\"] {}");
    expect("I shall look.\nAction:```\nsubmit(\"Yes\")\n```", "submit [\"Yes\"] {}");
    expect("```\nsubmit()\n```", "submit [] {}");
}

static void a_language_after_the_backticks_is_skipped(void **state)
{
    (void)state;
    expect("```python\nsubmit(\"No\")\n```", "submit [\"No\"] {}");
    expect("``` bash \nsubmit(\"No\")\n```", "submit [\"No\"] {}");
    expect("```python submit(\"No\")```", "submit [\"No\"] {}");
}

static void indented_and_inline_backticks_are_understood(void **state)
{
    (void)state;
    expect("    ```\n    submit(\"No\")\n    ```\n", "submit [\"No\"] {}");
    expect("So ```submit(\"No\")``` it is", "submit [\"No\"] {}");
}

static void backticks_that_were_never_closed_end_with_the_text(void **state)
{
    (void)state;
    expect("```\nsubmit(\"No\")", "submit [\"No\"] {}");
}

static void keyword_arguments_are_understood(void **state)
{
    (void)state;
    expect("```\nget_metrics(namespace=\"a\", duration = 10)\n```",
        "get_metrics [] {\"namespace\":\"a\",\"duration\":10}");
    expect("```\nsubmit(has_anomaly=\"Yes\")\n```", "submit [] {\"has_anomaly\":\"Yes\"}");
    expect("```\nexec_shell(\"ls\", timeout=60)\n```", "exec_shell [\"ls\"] {\"timeout\":60}");
}

static void values_of_python_and_json_are_understood(void **state)
{
    (void)state;
    expect(
        "```\nsubmit([\"a\", 'b', (\"c\",), {\"d\"}], {'k': None, \"l\": true, \"m\": -2.5})\n```",
        "submit [[\"a\",\"b\",[\"c\"],[\"d\"]],{\"k\":null,\"l\":true,\"m\":-2.5}] {}");
}

static void a_bare_word_is_a_text(void **state)
{
    (void)state;
    expect("```\nsubmit(Yes)\n```", "submit [\"Yes\"] {}");
    expect("```\nsubmit([geo, mongodb-rate])\n```", "submit [[\"geo\",\"mongodb-rate\"]] {}");
}

static void a_bare_call_needs_no_backticks(void **state)
{
    (void)state;
    expect("submit(\"Yes\")", "submit [\"Yes\"] {}");
    expect("I am sure.\nAction: submit(\"Yes\")\n", "submit [\"Yes\"] {}");
}

static void escapes_mean_what_they_mean_in_python(void **state)
{
    (void)state;
    expect("```\nsubmit(\"a\\\"b\\n\\x41\\u00e9\\q\")\n```",
        "submit [\"a\\\"b\\nA\xc3\xa9\\\\q\"] {}");
    expect("```\nsubmit(r\"a\\n\")\n```", "submit [\"a\\\\n\"] {}");
}

static void escaped_quotes_reach_the_shell_as_quotes(void **state)
{
    (void)state;
    expect("```\nexec_shell(\"echo \\\"hi\\\"\")\n```", "exec_shell [\"echo \\\"hi\\\"\"] {}");
    expect("```\nexec_shell('echo \"hi\"')\n```", "exec_shell [\"echo \\\"hi\\\"\"] {}");
}

static void unescaped_quotes_within_a_command_are_understood(void **state)
{
    (void)state;
    expect(
        "```\nexec_shell(\"echo \"hi\" there\")\n```", "exec_shell [\"echo \\\"hi\\\" there\"] {}");
    expect("```\nexec_shell(command=\"sh -c \"date; (id)\"\", timeout=9)\n```",
        "exec_shell [\"sh -c \\\"date; (id)\\\"\"] {\"timeout\":9}");
}

static void other_backslashes_in_a_command_are_left_to_its_programs(void **state)
{
    (void)state;
    expect("```\nexec_shell(\"kubectl get po -o jsonpath='{\\\"\\n\\\"}'\")\n```",
        "exec_shell [\"kubectl get po -o jsonpath='{\\\"\\\\n\\\"}'\"] {}");
    expect("```\nexec_shell(\"grep 'a\\.b' f\")\n```", "exec_shell [\"grep 'a\\\\.b' f\"] {}");
}

static void a_here_document_may_be_written_in_one_line(void **state)
{
    (void)state;
    expect("```\nexec_shell(\"cat <<E\\na\\nE\")\n```", "exec_shell [\"cat <<E\\na\\nE\"] {}");
}

static void a_command_may_have_several_lines(void **state)
{
    (void)state;
    expect("```\nexec_shell(\"for i in 1 2\ndo echo $i\ndone\")\n```",
        "exec_shell [\"for i in 1 2\\ndo echo $i\\ndone\"] {}");
    expect("```\nexec_shell(\"\"\"echo \"a\"\necho b\"\"\")\n```",
        "exec_shell [\"echo \\\"a\\\"\\necho b\"] {}");
}

static void backticks_within_a_command_do_not_end_it(void **state)
{
    (void)state;
    expect("```\nexec_shell(\"echo '```'\")\n```", "exec_shell [\"echo '```'\"] {}");
}

static void of_two_calls_in_a_block_the_first_counts_and_the_agent_is_told(void **state)
{
    (void)state;
    expect("```\nget_logs(\"a\", \"b\")\nsubmit(\"Yes\")\n```",
        "get_logs [\"a\",\"b\"] {} Note: only the first action was executed; the one after it, "
        "submit, was not. Send one action at a time.");
}

static void of_two_blocks_the_one_with_an_action_counts(void **state)
{
    (void)state;
    expect(
        "```\nkubectl get pods\n```\nshows it:\n```\nsubmit(\"Yes\")\n```", "submit [\"Yes\"] {}");
}

static void two_actions_are_refused(void **state)
{
    (void)state;
    expect("```\nsubmit(\"No\")\n```\n```\nsubmit(\"Yes\")\n```",
        "There are several actions, submit and submit among them; nothing was executed. Send one "
        "action at a time.");
}

static void an_unknown_action_is_left_to_the_caller(void **state)
{
    (void)state;
    expect("```\nrestart(\"geo\")\n```", "restart [\"geo\"] {}");
}

static void what_was_wrong_is_said_exactly(void **state)
{
    (void)state;
    expect("all is well", "There is no action in it: no pair of three backticks with a call "
                          "between them.");
    expect("```\n```", "There is nothing between the backticks.");
    expect("```\nkubectl get pods\n```",
        "'kubectl get pods' is not an action; an action looks like name(arguments). A shell "
        "command goes into exec_shell(\"…\").");
    expect("```\nsubmit(\"Yes)\n```",
        "The arguments of submit were not understood: the text that begins with \"Yes)\n```… has "
        "no closing quote.");
    expect("```\nsubmit([\"geo\"\n```", "The arguments of submit were not understood: expected "
                                        "',' or ']' before '```'.");
    expect("```\nsubmit(\"a\" \"b\" 5)\n```",
        "The arguments of submit were not understood: expected ',' or ')' before '5)\n```'.");
    expect("```\nsubmit(*)\n```", "The arguments of submit were not understood: '*)\n```' is not "
                                  "a value; put texts in quotes.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_original_form_is_understood),
        cmocka_unit_test(a_language_after_the_backticks_is_skipped),
        cmocka_unit_test(indented_and_inline_backticks_are_understood),
        cmocka_unit_test(backticks_that_were_never_closed_end_with_the_text),
        cmocka_unit_test(keyword_arguments_are_understood),
        cmocka_unit_test(values_of_python_and_json_are_understood),
        cmocka_unit_test(a_bare_word_is_a_text),
        cmocka_unit_test(a_bare_call_needs_no_backticks),
        cmocka_unit_test(escapes_mean_what_they_mean_in_python),
        cmocka_unit_test(escaped_quotes_reach_the_shell_as_quotes),
        cmocka_unit_test(unescaped_quotes_within_a_command_are_understood),
        cmocka_unit_test(other_backslashes_in_a_command_are_left_to_its_programs),
        cmocka_unit_test(a_here_document_may_be_written_in_one_line),
        cmocka_unit_test(a_command_may_have_several_lines),
        cmocka_unit_test(backticks_within_a_command_do_not_end_it),
        cmocka_unit_test(of_two_calls_in_a_block_the_first_counts_and_the_agent_is_told),
        cmocka_unit_test(of_two_blocks_the_one_with_an_action_counts),
        cmocka_unit_test(two_actions_are_refused),
        cmocka_unit_test(an_unknown_action_is_left_to_the_caller),
        cmocka_unit_test(what_was_wrong_is_said_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
