#include "base/auto.h"
#include "base/mem.h"
#include "services/evaluator/grader.h"
#include "services/evaluator/original.h"
#include "services/evaluator/tokens.h"
#include "tests/support/test.h"

/* Grades and renders the results. expected and solution are JSON; solution NULL: none. */
static void expect(const char *task, const char *expected, const char *solution, const char *wanted)
{
    json_t *right = json_loads(expected, 0, NULL);
    json_t *given = solution ? json_loads(solution, JSON_DECODE_ANY, NULL) : NULL;
    json_t *results = json_object();
    bool is_success = grader_find(task, NULL)->grade(right, given, results);
    AUTO_FREE char *text = json_dumps(results, JSON_COMPACT | JSON_REAL_PRECISION(4));
    assert_string_equal(text, wanted);
    assert_int_equal(is_success, json_is_true(json_object_get(results, "success")));
    json_decref(right);
    json_decref(given);
    json_decref(results);
}

static void detection_takes_yes_and_no_in_any_case(void **state)
{
    (void)state;
    const char *right = "{\"anomaly\": \"Yes\"}";
    const char *correct = "{\"Detection Accuracy\":\"Correct\",\"success\":true}";
    expect("detection", right, "\"Yes\"", correct);
    expect("detection", right, "\"  yES\\n\"", correct);
    expect(
        "detection", right, "\"No\"", "{\"Detection Accuracy\":\"Incorrect\",\"success\":false}");
}

static void detection_of_anything_but_text_is_an_invalid_format(void **state)
{
    (void)state;
    const char *right = "{\"anomaly\": \"Yes\"}";
    const char *invalid = "{\"Detection Accuracy\":\"Invalid Format\",\"success\":false}";
    expect("detection", right, "[\"Yes\"]", invalid);
    expect("detection", right, "true", invalid);
    expect("detection", right, "null", invalid);
    expect("detection", right, NULL, invalid);
}

#define EXACT "{\"Localization Accuracy\":100.0,\"success\":true,\"is_subset\":true}"
#define NONE  "{\"Localization Accuracy\":0.0,\"success\":false,\"is_subset\":false}"

static void localization_takes_a_list_or_a_name(void **state)
{
    (void)state;
    const char *right = "{\"components\": [\"geo\"]}";
    expect("localization", right, "[\"geo\"]", EXACT);
    expect("localization", right, "\"geo\"", EXACT);
    expect("localization", right, "[\"geo\", \"geo\"]", EXACT);
}

static void localization_of_too_many_is_worth_its_share(void **state)
{
    (void)state;
    expect("localization", "{\"components\": [\"geo\"]}", "[\"rate\", \"geo\", \"search\", \"a\"]",
        "{\"Localization Accuracy\":25.0,\"success\":false,\"is_subset\":true}");
}

static void localization_of_others_is_worth_nothing(void **state)
{
    (void)state;
    const char *right = "{\"components\": [\"geo\"]}";
    expect("localization", right, "[\"rate\"]", NONE);
    expect("localization", right, "[]", NONE);
    expect("localization", right, "[7]", NONE);
    expect("localization", right, "{\"geo\": 1}", NONE);
    expect("localization", right, NULL, NONE);
}

static void localization_needs_all_of_several(void **state)
{
    (void)state;
    const char *right = "{\"components\": [\"geo\", \"mongodb-geo\"]}";
    expect("localization", right, "[\"mongodb-geo\", \"geo\"]", EXACT);
    expect("localization", right, "[\"geo\"]", NONE);
}

static void another_name_for_the_same_place_is_right_alone(void **state)
{
    (void)state;
    const char *right = "{\"components\": [\"mongodb-geo\"], \"also_accepted\": [\"geo\"]}";
    expect("localization", right, "[\"mongodb-geo\"]", EXACT);
    expect("localization", right, "[\"geo\"]", EXACT);
    expect("localization", right, "[\"geo\", \"mongodb-geo\"]",
        "{\"Localization Accuracy\":50.0,\"success\":false,\"is_subset\":true}");
    expect("localization", right, "[\"geo\", \"rate\"]", NONE);
}

static void nothing_is_the_right_answer_when_nothing_is_wrong(void **state)
{
    (void)state;
    expect("localization", "{\"components\": []}", "[]", EXACT);
}

/* ---- the original's rules ----------------------------------------------------------------- */

static void expect_original(
    const char *task, const char *expected, const char *solution, const char *wanted)
{
    json_auto_t *right = json_loads(expected, 0, NULL);
    json_auto_t *given = solution ? json_loads(solution, JSON_DECODE_ANY, NULL) : NULL;
    json_auto_t *results = json_object();
    (void)original_grade(task, right, given, results);
    AUTO_FREE char *text = json_dumps(results, JSON_COMPACT | JSON_REAL_PRECISION(4));
    assert_string_equal(text, wanted);
}

static void the_original_scores_lists_its_own_way(void **state)
{
    (void)state;
    const char *right = "{\"components\": [\"mongodb-geo\"], \"also_accepted\": [\"geo\"]}";
    const char *exact = "{\"Localization Accuracy\":100.0,\"success\":true,\"is_subset\":true}";
    expect_original("localization", right, "[\"geo\"]", exact);
    expect_original("localization", right, "\"geo\"",
        "{\"Localization Accuracy\":100.0,\"success\":true,\"is_subset\":false}");
    expect_original("localization", right, "[\"geo\", \"geo\"]",
        "{\"Localization Accuracy\":50.0,\"success\":false,\"is_subset\":true}");
    expect_original("localization", right, NULL, NONE);
    expect_original(
        "detection", "{\"anomaly\": \"Yes\"}", "\" YES \"", "{\"Detection Accuracy\":\"Correct\"}");
    expect_original(
        "detection", "{\"anomaly\": \"Yes\"}", "[]", "{\"Detection Accuracy\":\"Invalid Format\"}");
}

static bool pods_pass(const char *rule, const char *statuses)
{
    AUTO_FREE char *text = xasprintf(
        "{\"items\": [{\"status\": {\"phase\": \"Running\", \"containerStatuses\": [%s]}}]}",
        statuses);
    json_auto_t *pods = json_loads(text, 0, NULL);
    assert_non_null(pods);
    return original_pods_pass(rule, pods);
}

static void the_original_looks_at_pods_once(void **state)
{
    (void)state;
    static const char ready[] = "{\"ready\": true, \"state\": {\"running\": {}}}";
    static const char pulling[] =
        "{\"ready\": true, \"state\": {\"waiting\": {\"reason\": \"ErrImagePull\"}}}";
    static const char done[] =
        "{\"ready\": false, \"state\": {\"terminated\": {\"reason\": \"Completed\"}}}";
    assert_true(pods_pass("all_pods", ready));
    assert_true(pods_pass("wait_ready", ready));
    assert_true(pods_pass("all_pods", pulling));
    assert_false(pods_pass("pods_and_command", pulling));
    assert_true(pods_pass("all_pods", done));
    assert_false(pods_pass("wait_ready", done));
    json_auto_t *none = json_pack("{s:[]}", "items");
    assert_true(original_pods_pass("all_pods", none));
    assert_false(original_pods_pass("wait_ready", none));
}

static void evidence_counts_where_the_tools_showed_it(void **state)
{
    (void)state;
    json_auto_t *problem = json_pack("{s:[s, s]}", "evidence", "app3", "refused");
    json_auto_t *trace = json_pack("[{s:s, s:s}, {s:s, s:s}]", "role", "assistant", "content",
        "I guess app3 and refused", "role", "env", "content", "image: geo:app3");
    json_auto_t *results = json_object();
    grader_add_evidence(problem, trace, results);
    assert_true(json_real_value(json_object_get(results, "evidence_seen")) == 0.5);
    json_auto_t *none = json_object();
    json_auto_t *unseen = json_object();
    grader_add_evidence(none, trace, unseen);
    assert_int_equal(json_object_size(unseen), 0);
}

static void analysis_judges_each_word_by_itself(void **state)
{
    (void)state;
    const char *right = "{\"system_level\": \"Application\", \"fault_type\": \"Misconfiguration\"}";
    expect("analysis", right,
        "{\"system_level\": \"application\", \"fault_type\": \" Misconfiguration \"}",
        "{\"system_level_correct\":true,\"fault_type_correct\":true,\"success\":true}");
    expect("analysis", right, "{\"system_level\": \"Application\"}",
        "{\"system_level_correct\":true,\"fault_type_correct\":false,\"success\":false}");
}

static void analysis_of_anything_but_words_is_wrong_and_no_crash(void **state)
{
    (void)state;
    const char *right = "{\"system_level\": \"Application\", \"fault_type\": \"Misconfiguration\"}";
    const char *wrong =
        "{\"system_level_correct\":false,\"fault_type_correct\":false,\"success\":false}";
    expect("analysis", right, "{\"system_level\": 5, \"fault_type\": null}", wrong);
    expect("analysis", right, "[\"Application\"]", wrong);
    expect("analysis", right, "null", wrong);
    expect("analysis", right, NULL, wrong);
}

static void an_unknown_task_has_no_grader(void **state)
{
    (void)state;
    err_t err = {0};
    assert_null(grader_find("poetry", &err));
    assert_string_equal(err.text, "there is no grader for the task 'poetry'");
}

static void the_common_keys_are_those_of_the_original(void **state)
{
    (void)state;
    json_t *trace = json_pack("[{s:s, s:s}, {s:s, s:s}]", "role", "assistant", "content",
        "submit(\"Yes\")", "role", "env", "content", "accepted");
    json_t *results = json_object();
    grader_add_common(grader_find("detection", NULL), trace, 1.5, results);
    AUTO_FREE char *text = json_dumps(results, JSON_COMPACT | JSON_REAL_PRECISION(4));
    assert_string_equal(text, "{\"TTD\":1.5,\"steps\":1,\"in_tokens\":2,\"out_tokens\":4}");
    json_decref(trace);
    json_decref(results);
}

static void tokens_are_counted_by_the_stated_rule(void **state)
{
    (void)state;
    assert_int_equal(tokens_count(""), 0);
    assert_int_equal(tokens_count("pods are well"), 3);
    assert_int_equal(tokens_count("recommendation"), 3);
    assert_int_equal(tokens_count("12345"), 2);
    assert_int_equal(tokens_count("a\n\n\nb"), 3);
    assert_int_equal(tokens_count("{{}}"), 2);
    assert_int_equal(tokens_count("\xc3\xa9\xc3\xa9"), 1);
    assert_int_equal(tokens_count("a <|endoftext|> b"), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(detection_takes_yes_and_no_in_any_case),
        cmocka_unit_test(detection_of_anything_but_text_is_an_invalid_format),
        cmocka_unit_test(localization_takes_a_list_or_a_name),
        cmocka_unit_test(localization_of_too_many_is_worth_its_share),
        cmocka_unit_test(localization_of_others_is_worth_nothing),
        cmocka_unit_test(localization_needs_all_of_several),
        cmocka_unit_test(evidence_counts_where_the_tools_showed_it),
        cmocka_unit_test(the_original_scores_lists_its_own_way),
        cmocka_unit_test(the_original_looks_at_pods_once),
        cmocka_unit_test(another_name_for_the_same_place_is_right_alone),
        cmocka_unit_test(nothing_is_the_right_answer_when_nothing_is_wrong),
        cmocka_unit_test(analysis_judges_each_word_by_itself),
        cmocka_unit_test(analysis_of_anything_but_words_is_wrong_and_no_crash),
        cmocka_unit_test(an_unknown_task_has_no_grader),
        cmocka_unit_test(the_common_keys_are_those_of_the_original),
        cmocka_unit_test(tokens_are_counted_by_the_stated_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
