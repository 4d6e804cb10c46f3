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
    registry = problem_registry_new(&(problem_sources_t){.folder = folder}, &err);
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
    json_t *json = problem_instance(problem, 0);
    const char *fault = NULL;
    json_int_t settle_ms = 0;
    json_t *deployments = NULL;
    assert_int_equal(json_unpack(json, "{s:[{s:s}], s:{s:I, s:o}}", "faults", "fault", &fault,
                         "expected", "settle_ms", &settle_ms, "deployments", &deployments),
        0);
    assert_int_equal(json_array_size(deployments), 18); /* all that the application has */
    assert_string_equal(fault, "misconfig_app");
    assert_true(settle_ms > 0);
    json_decref(json);
}

/* ---- what the seed decides ---------------------------------------------------------------- */

#define HEAD                                                                                       \
    "family: f\nsummary: s\napplication: hotel-reservation\nnamespace: n\nabout: x\n"              \
    "faults: [{fault: noop}]\nload: {url: u, mix: m, distribution: exp, rate: 1, connections: "    \
    "1}\n"

/* A registry of one file; NULL with the reason. path_p, which may be NULL, is for free(). */
static problem_registry_t *read_text(const char *text, char **path_p, err_t *err)
{
    char folder[] = "/tmp/problems-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char *path = xasprintf("%s/p.yaml", folder);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    problem_registry_t *read = problem_registry_new(&(problem_sources_t){.folder = folder}, err);
    unlink(path);
    rmdir(folder);
    if (path_p)
        *path_p = path;
    else
        free(path);
    return read;
}

static const char varied[] =
    "family: f\nsummary: s\napplication: hotel-reservation\n"
    "vary:\n  - {name: target, values: [geo, rate]}\n"
    "faults:\n  - {fault: misconfig_app, targets: [\"${target}\"]}\n"
    "problems:\n  - id: a\n    task: localization\n    solution: ['submit([\"${target}\"])']\n"
    "    expected: {components: [\"mongodb-${target}\"]}\n";

static void expect_drawn(const problem_t *problem, int64_t seed, const char *wanted)
{
    json_auto_t *json = problem_instance(problem, seed);
    const char *target = NULL;
    const char *component = NULL;
    const char *action = NULL;
    assert_int_equal(json_unpack(json, "{s:[{s:[s]}], s:{s:[s]}, s:[[s]]}", "faults", "targets",
                         &target, "expected", "components", &component, "solutions", &action),
        0);
    assert_string_equal(target, wanted);
    assert_string_equal(component + strlen("mongodb-"), wanted);
    assert_non_null(strstr(action, wanted));
}

static void the_seed_decides_what_varies_in_all_of_a_problem(void **state)
{
    (void)state;
    err_t err = {0};
    problem_registry_t *read = read_text(varied, NULL, &err);
    if (!read)
        fail_msg("%s", err.text);
    const problem_t *problem = problem_registry_at(read, 0);
    expect_drawn(problem, 0, "geo");
    expect_drawn(problem, 1, "rate");
    expect_drawn(problem, 2, "geo");
    expect_drawn(problem, -1, "rate");
    problem_registry_destroy(&read);
}

static void what_a_file_leaves_out_is_as_the_application_says(void **state)
{
    (void)state;
    err_t err = {0};
    problem_registry_t *read = read_text(varied, NULL, &err);
    assert_non_null(read);
    const problem_family_t *family = problem_registry_at(read, 0)->family;
    assert_string_equal(family->namespace, "test-hotel-reservation");
    assert_int_equal(family->load->rate, 100);
    assert_non_null(strstr(family->about, "hotel"));
    problem_registry_destroy(&read);
}

/* ---- broken files ------------------------------------------------------------------------- */

static void expect_refusal(const char *text, const char *expected)
{
    err_t err = {0};
    AUTO_FREE char *path = NULL;
    problem_registry_t *broken = read_text(text, &path, &err);
    assert_null(broken);
    assert_memory_equal(err.text, path, strlen(path));
    assert_string_equal(err.text + strlen(path) + 1, expected);
}

static void an_unknown_application_is_refused_with_the_nearest(void **state)
{
    (void)state;
    expect_refusal(
        "family: f\nsummary: s\napplication: hotel-reservations\nfaults: [{fault: noop}]\n"
        "problems:\n  - {id: a, task: detection, expected: {anomaly: \"No\"}, solution: [x]}\n",
        "3:14: 'application': there is no application 'hotel-reservations'; did you mean "
        "'hotel-reservation'?");
}

static void an_unknown_target_is_refused_with_the_nearest(void **state)
{
    (void)state;
    expect_refusal(
        "family: f\nsummary: s\napplication: hotel-reservation\n"
        "faults:\n  - fault: misconfig_app\n    targets: [geo, profil]\n"
        "problems:\n  - {id: a, task: detection, expected: {anomaly: \"No\"}, solution: [x]}\n",
        "6:20: 'faults[0].targets[1]': there is no object 'profil'; did you mean 'profile'?");
}

static void an_unknown_fault_is_refused_with_the_nearest(void **state)
{
    (void)state;
    expect_refusal(
        "family: f\nsummary: s\napplication: hotel-reservation\n"
        "faults:\n  - fault: misconfig_ap\n    targets: [geo]\n"
        "problems:\n  - {id: a, task: detection, expected: {anomaly: \"No\"}, solution: [x]}\n",
        "5:12: 'faults[0].fault': there is no fault 'misconfig_ap'; did you mean 'misconfig_app'?");
}

static void an_impossible_parameter_is_refused(void **state)
{
    (void)state;
    expect_refusal(
        "family: f\nsummary: s\napplication: hotel-reservation\n"
        "faults:\n  - fault: wrong_target_port\n    targets: [geo]\n"
        "    parameters:\n      - {name: port, value: \"70000\"}\n"
        "problems:\n  - {id: a, task: detection, expected: {anomaly: \"No\"}, solution: [x]}\n",
        "8:9: 'faults[0].parameters[0]': parameter 'port' of the fault 'wrong_target_port' must be "
        "a "
        "whole number from 1 to 65535, not '70000'");
}

static void an_unknown_parameter_is_refused_with_the_nearest(void **state)
{
    (void)state;
    expect_refusal(
        "family: f\nsummary: s\napplication: hotel-reservation\n"
        "faults:\n  - fault: wrong_target_port\n    targets: [geo]\n"
        "    parameters:\n      - {name: prt, value: \"7000\"}\n"
        "problems:\n  - {id: a, task: detection, expected: {anomaly: \"No\"}, solution: [x]}\n",
        "8:9: 'faults[0].parameters[0]': the fault 'wrong_target_port' has no parameter 'prt'; did "
        "you mean 'port'?");
}

static void a_fault_without_a_target_is_refused(void **state)
{
    (void)state;
    expect_refusal(
        "family: f\nsummary: s\napplication: hotel-reservation\n"
        "faults:\n  - fault: scaled_to_zero\n"
        "problems:\n  - {id: a, task: detection, expected: {anomaly: \"No\"}, solution: [x]}\n",
        "5:5: 'faults[0]': the fault 'scaled_to_zero' needs a target, a workload");
}

static void a_level_that_no_agent_is_told_of_is_refused(void **state)
{
    (void)state;
    expect_refusal(HEAD "problems:\n  - id: a\n    task: analysis\n    solution: [submit()]\n"
                        "    expected: {system_level: Software, fault_type: Code Defect}\n",
        "12:30: 'problems[0].expected.system_level': 'Software' is not one of: Hardware, Operating "
        "System, Virtualization, Application");
}

static void what_varies_needs_values(void **state)
{
    (void)state;
    expect_refusal(
        "family: f\nsummary: s\napplication: hotel-reservation\nvary:\n  - name: x\n"
        "faults: [{fault: noop}]\n"
        "problems:\n  - {id: a, task: detection, expected: {anomaly: \"No\"}, solution: [x]}\n",
        "5:5: 'vary[0]': expected either values or label");
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
    assert_null(problem_registry_new(&(problem_sources_t){.folder = "/nonexistent"}, &err));
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
        cmocka_unit_test(the_seed_decides_what_varies_in_all_of_a_problem),
        cmocka_unit_test(what_a_file_leaves_out_is_as_the_application_says),
        cmocka_unit_test(an_unknown_application_is_refused_with_the_nearest),
        cmocka_unit_test(an_unknown_target_is_refused_with_the_nearest),
        cmocka_unit_test(an_unknown_fault_is_refused_with_the_nearest),
        cmocka_unit_test(an_impossible_parameter_is_refused),
        cmocka_unit_test(an_unknown_parameter_is_refused_with_the_nearest),
        cmocka_unit_test(a_fault_without_a_target_is_refused),
        cmocka_unit_test(a_level_that_no_agent_is_told_of_is_refused),
        cmocka_unit_test(what_varies_needs_values),
        cmocka_unit_test(a_misspelt_task_is_refused_with_the_right_words),
        cmocka_unit_test(a_detection_without_an_answer_is_refused),
        cmocka_unit_test(an_answer_that_no_agent_can_give_is_refused),
        cmocka_unit_test(a_mitigation_without_conditions_is_refused),
        cmocka_unit_test(a_folder_without_problems_is_an_error),
    };
    return cmocka_run_group_tests(tests, open_registry, close_registry);
}
