/* A session from request to verdict, with players for the other services. */
#include "base/auto.h"
#include "base/mem.h"
#include "tests/integration/orchestrator/cast.h"

#include <glob.h>

#define TEST(rule) cmocka_unit_test_setup_teardown(rule, cast_set_up, cast_tear_down)

#define DETECTION "misconfig_app_hotel_res-detection-1"
#define NOOP      "noop_detection_hotel_reservation-1"

static const char *open_active(cast_t *cast, const char *problem)
{
    const char *session = cast_open(cast, &(session_open_t){.problem = problem, .agent = "test"});
    cast_run(cast, 5000);
    assert_string_equal(cast_state(cast, session), "active");
    return session;
}

/* ---- the way there ------------------------------------------------------------------------ */

static void a_session_goes_from_request_to_verdict(void **state)
{
    cast_t *cast = *state;
    const char *session = open_active(cast, DETECTION);
    cast_act(cast, session, 1, "```\nsubmit(\"Yes\")\n```");
    cast_run(cast, 100);
    assert_string_equal(cast_state(cast, session), "closed");
    assert_string_equal(json_string_value(cast->solution), "Yes");
    assert_int_equal(cast->created, 1);
    assert_int_equal(cast->deleted, 1);
}

static void the_fault_waits_for_a_good_baseline(void **state)
{
    cast_t *cast = *state;
    cast->errors = 3;
    const char *session = cast_open(cast, &(session_open_t){.problem = DETECTION, .agent = "test"});
    cast_run(cast, 5000);
    assert_string_equal(cast_state(cast, session), "baseline");
    assert_false(cast->is_fault_active);
    cast->errors = 0;
    cast_run(cast, 3000);
    assert_string_equal(cast_state(cast, session), "active");
}

static void the_agent_waits_for_the_symptom(void **state)
{
    cast_t *cast = *state;
    cast->fault_errors = 0;
    const char *session = cast_open(cast, &(session_open_t){.problem = DETECTION, .agent = "test"});
    cast_run(cast, 8000);
    assert_string_equal(cast_state(cast, session), "faulted");
    cast->fault_errors = 20;
    cast_run(cast, 2000);
    assert_string_equal(cast_state(cast, session), "active");
}

static void without_a_symptom_the_agent_starts_at_once(void **state)
{
    cast_t *cast = *state;
    cast->fault_errors = 0;
    const char *session = cast_open(cast, &(session_open_t){.problem = NOOP, .agent = "test"});
    cast_run(cast, 1100);
    assert_string_equal(cast_state(cast, session), "active");
}

static void an_unknown_problem_is_refused_with_the_nearest(void **state)
{
    cast_t *cast = *state;
    assert_non_null(
        strstr(cast_open(cast, &(session_open_t){.problem = "noop_detection", .agent = "test"}),
            "there is no problem 'noop_detection'; did you mean 'noop_detec"));
}

/* ---- the agent's turn --------------------------------------------------------------------- */

static void an_action_before_the_agents_turn_is_refused(void **state)
{
    cast_t *cast = *state;
    const char *session = cast_open(cast, &(session_open_t){.problem = NOOP, .agent = "test"});
    assert_string_equal(cast_act(cast, session, 1, "submit(\"No\")"),
        "state: the session is 'baseline'; it is not yet the agent's turn");
}

static void a_command_is_run_in_the_environment(void **state)
{
    cast_t *cast = *state;
    const char *session = open_active(cast, NOOP);
    assert_string_equal(cast_act(cast, session, 1, "```\nexec_shell(\"ls\")\n```"), "done");
    assert_string_equal(cast->command, "ls");
}

static void interactive_commands_are_refused_as_ever(void **state)
{
    cast_t *cast = *state;
    const char *session = open_active(cast, NOOP);
    assert_string_equal(cast_act(cast, session, 1, "exec_shell(\"kubectl  edit svc geo\")"),
        "Error: Cannot use `kubectl edit`. Use `kubectl patch` instead.");
    assert_string_equal(cast_act(cast, session, 2, "exec_shell(\"kubectl port-forward x 1\")"),
        "Error: Cannot use `kubectl port-forward` because it is an interactive command.");
    assert_int_equal(cast->executed, 0);
}

static void logs_come_from_telemetry(void **state)
{
    cast_t *cast = *state;
    const char *session = open_active(cast, NOOP);
    assert_string_equal(
        cast_act(cast, session, 1, "get_logs(\"test-hotel-reservation\", \"geo\")"), "a log");
    assert_string_equal(cast_act(cast, session, 2, "get_logs(\"nowhere\", \"nothing\")"),
        "Error: Your service/namespace does not exist. Use kubectl to check.");
}

static void metrics_become_files_in_the_agents_home(void **state)
{
    cast_t *cast = *state;
    const char *session = open_active(cast, NOOP);
    const char *text = cast_act(cast, session, 1, "get_metrics(\"test-hotel-reservation\")");
    assert_non_null(strstr(text, "Metrics data exported to directory: metrics_output/metric_"));
    assert_non_null(strstr(text, "\n    container/\n        kpi_a.csv\n        kpi_b.csv\n"));
    assert_int_equal(cast->put, 2);
    assert_non_null(strstr(cast->put_path, "/container/kpi_b.csv"));
}

static void an_unknown_action_is_answered_with_the_known_ones(void **state)
{
    cast_t *cast = *state;
    const char *session = open_active(cast, NOOP);
    assert_string_equal(cast_act(cast, session, 1, "```\nreboot()\n```"),
        "Invalid action: reboot. The actions are: exec_shell, get_logs, get_metrics, get_traces, "
        "read_metrics, read_traces, submit.");
}

static void a_wrong_argument_is_answered_with_a_right_example(void **state)
{
    cast_t *cast = *state;
    const char *session = open_active(cast, NOOP);
    assert_string_equal(cast_act(cast, session, 1, "get_logs(service=\"geo\")"),
        "Error: get_logs() needs the argument 'namespace'. For example:\n```\nget_logs("
        "\"test-hotel-reservation\", \"frontend\")\n```");
}

static void garbage_is_answered_with_what_was_wrong(void **state)
{
    cast_t *cast = *state;
    const char *session = open_active(cast, NOOP);
    assert_non_null(strstr(cast_act(cast, session, 1, "\xff\xfe I feel lucky"),
        "Error parsing response: There is no action in it"));
}

static void an_action_that_is_too_long_is_not_executed(void **state)
{
    cast_t *cast = *state;
    const char *session = open_active(cast, NOOP);
    AUTO_FREE char *action = xcalloc(1, 300001);
    memset(action, 'a', 300000);
    assert_string_equal(cast_act(cast, session, 1, action),
        "Error: the action is 300000 bytes long, 262144 are the most; nothing was executed.");
}

static void a_step_asked_for_twice_is_done_once(void **state)
{
    cast_t *cast = *state;
    const char *session = open_active(cast, NOOP);
    cast_act(cast, session, 1, "exec_shell(\"ls\")");
    assert_string_equal(cast_act(cast, session, 1, "exec_shell(\"ls\")"), "done");
    assert_int_equal(cast->executed, 1);
}

static void a_step_out_of_order_is_refused(void **state)
{
    cast_t *cast = *state;
    const char *session = open_active(cast, NOOP);
    assert_string_equal(
        cast_act(cast, session, 3, "submit(\"No\")"), "invalid: the next step is 1, not 3");
}

/* ---- the end ------------------------------------------------------------------------------ */

static void a_submission_by_keyword_counts(void **state)
{
    cast_t *cast = *state;
    const char *session = open_active(cast, "misconfig_app_hotel_res-localization-1");
    cast_act(cast, session, 1, "```\nsubmit(faulty_components=[\"geo\"])\n```");
    cast_run(cast, 100);
    AUTO_FREE char *solution = json_dumps(cast->solution, JSON_COMPACT);
    assert_string_equal(solution, "[\"geo\"]");
    assert_string_equal(cast_state(cast, session), "closed");
}

static void the_last_step_without_a_submission_is_judged_as_none(void **state)
{
    cast_t *cast = *state;
    const char *session =
        cast_open(cast, &(session_open_t){.problem = NOOP, .agent = "test", .max_steps = 2});
    cast_run(cast, 3000);
    cast_act(cast, session, 1, "exec_shell(\"ls\")");
    cast_act(cast, session, 2, "exec_shell(\"ls\")");
    cast_run(cast, 100);
    assert_string_equal(cast_state(cast, session), "closed");
    assert_null(cast->solution);
    assert_int_equal(cast->judged, 1);
}

static void the_result_has_the_originals_keys_and_ours(void **state)
{
    cast_t *cast = *state;
    const char *session =
        cast_open(cast, &(session_open_t){.problem = NOOP, .agent = "test", .seed = 7});
    cast_run(cast, 3000);
    cast_act(cast, session, 1, "submit(\"No\")");
    cast_run(cast, 100);
    json_t *result = cast_result(cast, session);
    const char *agent, *id, *problem, *role, *accuracy, *ended_by, *anomaly, *version;
    double start, end;
    int seed, active_ms, success;
    assert_int_equal(json_unpack(result,
                         "{s:s, s:s, s:s, s:f, s:f, s:[{s:s}], s:{s:s}, s:s, s:i, s:{s:s}, "
                         "s:{s:s}, s:{s:{s:i}}, s:b}",
                         "agent", &agent, "session_id", &id, "problem_id", &problem, "start_time",
                         &start, "end_time", &end, "trace", "role", &role, "results",
                         "Detection Accuracy", &accuracy, "ended_by", &ended_by, "seed", &seed,
                         "expected", "anomaly", &anomaly, "versions", "aiopslab", &version,
                         "clocks", "monotonic_ms", "active", &active_ms, "success", &success),
        0);
    assert_string_equal(role, "assistant");
    assert_string_equal(ended_by, "submit");
    assert_string_equal(anomaly, "No");
    assert_int_equal(seed, 7);
    assert_true(success);
    json_decref(result);
}

static void the_result_is_a_file_named_by_session_and_start(void **state)
{
    cast_t *cast = *state;
    const char *session = open_active(cast, NOOP);
    cast_act(cast, session, 1, "submit(\"No\")");
    cast_run(cast, 100);
    AUTO_FREE char *pattern = xasprintf("%s/results/%s_*.json", cast->folder, session);
    glob_t found;
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    json_t *file = json_load_file(found.gl_pathv[0], 0, NULL);
    assert_string_equal(json_string_value(json_object_get(file, "state")), "closed");
    json_decref(file);
    globfree(&found);
}

static void an_owner_may_close_at_any_time(void **state)
{
    cast_t *cast = *state;
    const char *session = open_active(cast, NOOP);
    cast_close(cast, session);
    assert_string_equal(cast_state(cast, session), "failed: closed by its owner");
    assert_int_equal(cast->deleted, 1);
}

static void many_sessions_run_beside_each_other(void **state)
{
    cast_t *cast = *state;
    char ids[3][64];
    for (size_t i = 0; i < 3; i++)
        snprintf(ids[i], sizeof(ids[i]), "%s",
            cast_open(cast, &(session_open_t){.problem = NOOP, .agent = "test"}));
    cast_run(cast, 2000);
    for (size_t i = 0; i < 3; i++)
        cast_close(cast, ids[i]);
    assert_int_equal(cast->deleted, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_session_goes_from_request_to_verdict),
        TEST(the_fault_waits_for_a_good_baseline),
        TEST(the_agent_waits_for_the_symptom),
        TEST(without_a_symptom_the_agent_starts_at_once),
        TEST(an_unknown_problem_is_refused_with_the_nearest),
        TEST(an_action_before_the_agents_turn_is_refused),
        TEST(a_command_is_run_in_the_environment),
        TEST(interactive_commands_are_refused_as_ever),
        TEST(logs_come_from_telemetry),
        TEST(metrics_become_files_in_the_agents_home),
        TEST(an_unknown_action_is_answered_with_the_known_ones),
        TEST(a_wrong_argument_is_answered_with_a_right_example),
        TEST(garbage_is_answered_with_what_was_wrong),
        TEST(an_action_that_is_too_long_is_not_executed),
        TEST(a_step_asked_for_twice_is_done_once),
        TEST(a_step_out_of_order_is_refused),
        TEST(a_submission_by_keyword_counts),
        TEST(the_last_step_without_a_submission_is_judged_as_none),
        TEST(the_result_has_the_originals_keys_and_ours),
        TEST(the_result_is_a_file_named_by_session_and_start),
        TEST(an_owner_may_close_at_any_time),
        TEST(many_sessions_run_beside_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
