#include "base/auto.h"
#include "base/mem.h"
#include "problems/problem.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the problems that we ship ------------------------------------------------------------ */

static problem_registry_t *registry;

static int open_registry(void **state)
{
    (void)state;
    err_t err = {0};
    AUTO_FREE char *folder = xasprintf("%s/problems", getenv("AIOPSLAB_SRC"));
    registry = problem_registry_new(folder, &err);
    if (!registry)
        print_error("%s\n", err.text);
    return registry ? 0 : -1;
}

static int close_registry(void **state)
{
    (void)state;
    problem_registry_destroy(&registry);
    return 0;
}

static void the_shipped_problems_are_there_sorted_by_id(void **state)
{
    (void)state;
    assert_true(problem_registry_count(registry) >= 5);
    for (size_t i = 1; i < problem_registry_count(registry); i++) {
        assert_true(
            strcmp(problem_registry_at(registry, i - 1)->id, problem_registry_at(registry, i)->id)
            < 0);
    }
}

static void a_problem_is_found_by_its_id(void **state)
{
    (void)state;
    const problem_t *problem =
        problem_registry_find(registry, "misconfig_app_hotel_res-localization-1", NULL);
    assert_non_null(problem);
    assert_int_equal(problem->task, TASK_LOCALIZATION);
    assert_string_equal(problem->expected->components[0], "geo");
    assert_string_equal(problem->family->faults[0].fault, "misconfig_app");
    assert_string_equal(problem->family->faults[0].targets[0], "geo");
}

static void an_unknown_id_is_answered_with_the_nearest(void **state)
{
    (void)state;
    err_t err = {0};
    assert_null(problem_registry_find(registry, "misconfig_app_hotel_res-detecton-1", &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "did you mean 'misconfig_app_hotel_res-detection-1'"));
}

static void the_public_form_has_no_fault_and_no_answer(void **state)
{
    (void)state;
    const problem_t *problem =
        problem_registry_find(registry, "misconfig_app_hotel_res-detection-1", NULL);
    json_t *json = problem_to_public_json(problem);
    AUTO_FREE char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    assert_null(strstr(text, "geo"));
    assert_null(strstr(text, "Yes"));
    assert_non_null(strstr(text, "\"task\":\"detection\""));
}

static void the_full_form_has_all_that_a_judge_needs(void **state)
{
    (void)state;
    const problem_t *problem =
        problem_registry_find(registry, "misconfig_app_hotel_res-mitigation-1", NULL);
    json_t *json = problem_to_json(problem);
    const char *fault = NULL;
    json_int_t settle_ms = 0;
    assert_int_equal(json_unpack(json, "{s:[{s:s}], s:{s:I}}", "faults", "fault", &fault,
                         "expected", "settle_ms", &settle_ms),
        0);
    assert_string_equal(fault, "misconfig_app");
    assert_true(settle_ms > 0);
    json_decref(json);
}

/* ---- broken files ------------------------------------------------------------------------- */

#define HEAD                                                                                       \
    "family: f\nsummary: s\napplication: a\nnamespace: n\nabout: x\nfaults: [{fault: noop}]\n"     \
    "load: {url: u, mix: m, distribution: exp, rate: 1, connections: 1}\n"

static void expect_refusal(const char *text, const char *expected)
{
    char folder[] = "/tmp/problems-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    AUTO_FREE char *path = xasprintf("%s/p.yaml", folder);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);

    err_t err = {0};
    problem_registry_t *broken = problem_registry_new(folder, &err);
    unlink(path);
    rmdir(folder);
    assert_null(broken);
    assert_memory_equal(err.text, path, strlen(path));
    assert_string_equal(err.text + strlen(path) + 1, expected);
}

static void a_misspelt_task_is_refused_with_the_right_words(void **state)
{
    (void)state;
    expect_refusal(HEAD "problems:\n  - id: a\n    task: detektion\n    solution: [submit()]\n",
        "10:11: 'problems[0].task': 'detektion' is not one of: detection, localization, analysis, "
        "mitigation");
}

static void a_detection_without_an_answer_is_refused(void **state)
{
    (void)state;
    expect_refusal(HEAD "problems:\n  - id: a\n    task: detection\n    solution: [submit()]\n",
        "9:5: 'problems[0].expected': a detection problem needs anomaly: \"Yes\" or \"No\"");
}

static void an_answer_that_no_agent_can_give_is_refused(void **state)
{
    (void)state;
    expect_refusal(HEAD "problems:\n  - id: a\n    task: detection\n    solution: [submit()]\n"
                        "    expected:\n      anomaly: Maybe\n",
        "13:16: 'problems[0].expected.anomaly': expected \"Yes\" or \"No\", not 'Maybe'");
}

static void a_mitigation_without_conditions_is_refused(void **state)
{
    (void)state;
    expect_refusal(HEAD "problems:\n  - id: a\n    task: mitigation\n    solution: [submit()]\n",
        "9:5: 'problems[0]': a mitigation problem needs mitigated_when");
}

static void a_folder_without_problems_is_an_error(void **state)
{
    (void)state;
    err_t err = {0};
    assert_null(problem_registry_new("/nonexistent", &err));
    assert_non_null(strstr(err.text, "/nonexistent"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_problems_are_there_sorted_by_id),
        cmocka_unit_test(a_problem_is_found_by_its_id),
        cmocka_unit_test(an_unknown_id_is_answered_with_the_nearest),
        cmocka_unit_test(the_public_form_has_no_fault_and_no_answer),
        cmocka_unit_test(the_full_form_has_all_that_a_judge_needs),
        cmocka_unit_test(a_misspelt_task_is_refused_with_the_right_words),
        cmocka_unit_test(a_detection_without_an_answer_is_refused),
        cmocka_unit_test(an_answer_that_no_agent_can_give_is_refused),
        cmocka_unit_test(a_mitigation_without_conditions_is_refused),
        cmocka_unit_test(a_folder_without_problems_is_an_error),
    };
    return cmocka_run_group_tests(tests, open_registry, close_registry);
}
