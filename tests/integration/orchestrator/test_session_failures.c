/* What may go wrong in a session: it goes on, or ends with a reason, and its environment goes. */
#include "base/auto.h"
#include "base/mem.h"
#include "tests/integration/orchestrator/cast.h"

#include <sys/stat.h>

#define TEST(rule) cmocka_unit_test_setup_teardown(rule, cast_set_up, cast_tear_down)

#define DETECTION "misconfig_app_hotel_res-detection-1"
#define NOOP      "noop_detection_hotel_reservation-1"

static const char *open_at(cast_t *cast, const char *problem, int64_t after_ms)
{
    const char *session = cast_open(cast, &(session_open_t){.problem = problem, .agent = "test"});
    cast_run(cast, after_ms);
    return session;
}

/* ---- the way there ------------------------------------------------------------------------ */

static void no_environment_is_a_failure_with_its_reason(void **state)
{
    cast_t *cast = *state;
    cast->env_error = "no user namespaces";
    const char *session = open_at(cast, NOOP, 1000);
    assert_string_equal(cast_state(cast, session), "failed: no environment: no user namespaces");
    assert_int_equal(cast->deleted, 1);
}

static void load_that_never_reports_ends_the_session(void **state)
{
    cast_t *cast = *state;
    cast->is_loadgen_mute = true;
    const char *session = open_at(cast, NOOP, 61000);
    assert_string_equal(cast_state(cast, session),
        "failed: the state 'baseline' took longer than it may: what it waited for was not seen");
    assert_int_equal(cast->deleted, 1);
}

static void a_fault_that_fails_ends_the_session(void **state)
{
    cast_t *cast = *state;
    cast->fault_state = "failed";
    const char *session = open_at(cast, NOOP, 3000);
    assert_string_equal(cast_state(cast, session), "failed: no fault: it is 'failed'");
}

static void a_fault_without_its_symptom_ends_the_session(void **state)
{
    cast_t *cast = *state;
    cast->fault_errors = 0;
    const char *session = open_at(cast, DETECTION, 25000);
    assert_string_equal(cast_state(cast, session),
        "failed: the state 'faulted' took longer than it may: what it waited for was not seen");
}

static void a_missing_service_is_waited_for(void **state)
{
    cast_t *cast = *state;
    bus_destroy(&cast->loadgen);
    const char *session = open_at(cast, NOOP, 30000);
    assert_string_equal(cast_state(cast, session), "baseline");
    cast_run(cast, 40000);
    assert_memory_equal(cast_state(cast, session), "failed: ", 8);
}

/* ---- the agent's turn --------------------------------------------------------------------- */

static void an_agent_that_never_acts_is_judged_after_the_idle_limit(void **state)
{
    cast_t *cast = *state;
    const char *session = cast_open(
        cast, &(session_open_t){.problem = NOOP, .agent = "test", .idle_limit_ms = 20000});
    cast_run(cast, 15000);
    assert_string_equal(cast_state(cast, session), "active");
    cast_run(cast, 10000);
    assert_string_equal(cast_state(cast, session), "closed");
    assert_int_equal(cast->judged, 1);
    assert_null(cast->solution);
    assert_int_equal(cast->deleted, 1);
}

static void the_time_limit_holds_for_a_busy_agent(void **state)
{
    cast_t *cast = *state;
    const char *session = cast_open(
        cast, &(session_open_t){.problem = NOOP, .agent = "test", .time_limit_ms = 30000});
    cast_run(cast, 2000);
    cast->is_exec_slow = true;
    cast_act(cast, session, 1, "exec_shell(\"sleep 600\", timeout=600)");
    cast_run(cast, 100);
    assert_string_equal(cast_state(cast, session), "closed");
}

static void an_environment_that_dies_ends_the_session(void **state)
{
    cast_t *cast = *state;
    const char *session = open_at(cast, NOOP, 3000);
    cast_end_env(cast);
    cast_run(cast, 1000);
    assert_string_equal(
        cast_state(cast, session), "failed: the environment is gone: its first process died");
}

static void an_environment_that_died_unseen_is_noticed(void **state)
{
    cast_t *cast = *state;
    const char *session = open_at(cast, NOOP, 3000);
    cast->is_env_lost = true;
    cast_run(cast, 6000);
    assert_string_equal(cast_state(cast, session), "failed: the environment is gone");
}

static void a_cluster_service_that_stays_away_ends_the_session(void **state)
{
    cast_t *cast = *state;
    const char *session = open_at(cast, NOOP, 3000);
    bus_destroy(&cast->cluster);
    cast_run(cast, 25000);
    assert_string_equal(cast_state(cast, session), "active");
    cast_run(cast, 100000);
    assert_memory_equal(cast_state(cast, session), "failed: the cluster service has been away", 41);
}

static void a_fault_that_ends_by_itself_makes_the_session_void(void **state)
{
    cast_t *cast = *state;
    const char *session = open_at(cast, DETECTION, 5000);
    cast_act(cast, session, 1, "get_logs(\"test-hotel-reservation\", \"geo\")");
    cast_end_fault(cast, "dead");
    cast_run(cast, 1000);
    assert_string_equal(cast_state(cast, session),
        "failed: void: the fault ended by itself: the image is the old one");
}

static void a_fault_that_ends_by_itself_is_never_put_down_to_the_agent(void **state)
{
    cast_t *cast = *state;
    const char *session = open_at(cast, DETECTION, 5000);
    cast_act(cast, session, 1, "exec_shell(\"kubectl get pods\")");
    cast_end_fault(cast, "dead");
    cast_run(cast, 1000);
    assert_string_equal(cast_state(cast, session),
        "failed: void: the fault ended by itself: the image is the old one");
}

static void a_fault_that_another_undid_makes_the_session_void(void **state)
{
    cast_t *cast = *state;
    const char *session = open_at(cast, DETECTION, 5000);
    cast_act(cast, session, 1, "get_logs(\"test-hotel-reservation\", \"geo\")");
    cast_end_fault(cast, "repaired");
    cast_run(cast, 1000);
    assert_string_equal(cast_state(cast, session), "failed: void: the image is the old one");
}

static void a_fault_that_the_agent_may_have_ended_is_its_right(void **state)
{
    cast_t *cast = *state;
    const char *session = open_at(cast, DETECTION, 5000);
    cast_act(cast, session, 1, "exec_shell(\"kubectl set image deployment/geo x=y\")");
    cast_end_fault(cast, "repaired");
    cast_run(cast, 1000);
    assert_string_equal(cast_state(cast, session), "active");
}

static void a_command_without_an_answer_is_told_to_the_agent(void **state)
{
    cast_t *cast = *state;
    const char *session = open_at(cast, NOOP, 3000);
    bus_destroy(&cast->cluster);
    cast_run(cast, 100);
    assert_non_null(strstr(cast_act(cast, session, 1, "exec_shell(\"ls\")"),
        "Error: the command's end was not seen ("));
}

/* ---- the end ------------------------------------------------------------------------------ */

static void a_missing_evaluator_is_waited_for(void **state)
{
    cast_t *cast = *state;
    const char *session = open_at(cast, NOOP, 3000);
    bus_destroy(&cast->evaluator);
    cast_act(cast, session, 1, "submit(\"No\")");
    cast_run(cast, 30000);
    assert_string_equal(cast_state(cast, session), "submitted");
    cast_run(cast, 200000);
    assert_string_equal(
        cast_state(cast, session), "failed: no verdict: the evaluator did not answer in time");
    assert_int_equal(cast->deleted, 1);
}

static void a_result_that_cannot_be_written_is_kept_and_told(void **state)
{
    cast_t *cast = *state;
    AUTO_FREE char *results = xasprintf("%s/file/results", cast->folder);
    AUTO_FREE char *file = xasprintf("%s/file", cast->folder);
    fclose(fopen(file, "we"));
    const char *session = cast_open(
        cast, &(session_open_t){.problem = NOOP, .agent = "test", .results_dir = results});
    cast_run(cast, 3000);
    cast_act(cast, session, 1, "submit(\"No\")");
    cast_run(cast, 100);
    assert_non_null(strstr(cast_state(cast, session), "session.result still tells it"));
    cast_restart_orchestrator(cast);
    json_t *result = cast_result(cast, session);
    assert_string_equal(json_string_value(json_object_get(result, "session_id")), session);
    json_decref(result);
}

/* ---- kill -9 of the orchestrator ---------------------------------------------------------- */

static void a_restart_goes_on_with_the_agents_turn(void **state)
{
    cast_t *cast = *state;
    const char *session = open_at(cast, NOOP, 3000);
    cast_act(cast, session, 1, "exec_shell(\"ls\")");
    cast_restart_orchestrator(cast);
    assert_string_equal(cast_state(cast, session), "active");
    assert_string_equal(cast_act(cast, session, 1, "exec_shell(\"ls\")"), "done");
    cast_act(cast, session, 2, "submit(\"No\")");
    cast_run(cast, 100);
    json_t *result = cast_result(cast, session);
    assert_int_equal(json_array_size(json_object_get(result, "trace")), 4);
    json_decref(result);
}

static void ignore(void *arg, const bus_reply_t *reply)
{
    (void)arg;
    (void)reply;
}

static void a_restart_does_not_execute_an_action_twice(void **state)
{
    cast_t *cast = *state;
    const char *session = open_at(cast, NOOP, 3000);
    cast->is_exec_slow = true;
    bus_call_t call = {.target = "orchestrator",
        .type = &session_act_type,
        .message = &(session_act_t){session, 1, "exec_shell(\"ls\")"}};
    int id = bus_request(cast->client, &call, ignore, NULL);
    cast_run(cast, 10);
    bus_cancel(cast->client, id);
    assert_int_equal(cast->executed, 1);
    cast_restart_orchestrator(cast);
    assert_non_null(strstr(cast_act(cast, session, 1, "exec_shell(\"ls\")"),
        "the orchestrator was restarted while this action was executed"));
    assert_int_equal(cast->executed, 1);
}

static void a_restart_ends_what_was_not_yet_the_agents(void **state)
{
    cast_t *cast = *state;
    cast->is_loadgen_mute = true;
    const char *session = open_at(cast, NOOP, 3000);
    cast_restart_orchestrator(cast);
    cast_run(cast, 1000);
    assert_string_equal(cast_state(cast, session),
        "failed: the orchestrator was restarted while the session was 'baseline'");
    assert_int_equal(cast->deleted, 1);
}

static void a_restart_asks_again_for_the_verdict(void **state)
{
    cast_t *cast = *state;
    const char *session = open_at(cast, NOOP, 3000);
    cast->is_verdict_kept = true;
    cast_act(cast, session, 1, "submit(\"No\")");
    cast_run(cast, 100);
    bus_fail(&cast->kept, ERR_STATE, "nobody is there to hear it");
    cast->is_verdict_kept = false;
    cast_restart_orchestrator(cast);
    cast_run(cast, 1000);
    assert_string_equal(cast_state(cast, session), "closed");
    assert_string_equal(json_string_value(cast->solution), "No");
}

static void a_restart_notices_that_the_environment_is_gone(void **state)
{
    cast_t *cast = *state;
    const char *session = open_at(cast, NOOP, 3000);
    cast->is_env_lost = true;
    cast_restart_orchestrator(cast);
    cast_run(cast, 6000);
    assert_string_equal(cast_state(cast, session), "failed: the environment is gone");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_environment_is_a_failure_with_its_reason),
        TEST(load_that_never_reports_ends_the_session),
        TEST(a_fault_that_fails_ends_the_session),
        TEST(a_fault_without_its_symptom_ends_the_session),
        TEST(a_missing_service_is_waited_for),
        TEST(an_agent_that_never_acts_is_judged_after_the_idle_limit),
        TEST(the_time_limit_holds_for_a_busy_agent),
        TEST(an_environment_that_dies_ends_the_session),
        TEST(an_environment_that_died_unseen_is_noticed),
        TEST(a_cluster_service_that_stays_away_ends_the_session),
        TEST(a_fault_that_ends_by_itself_makes_the_session_void),
        TEST(a_fault_that_ends_by_itself_is_never_put_down_to_the_agent),
        TEST(a_fault_that_another_undid_makes_the_session_void),
        TEST(a_fault_that_the_agent_may_have_ended_is_its_right),
        TEST(a_command_without_an_answer_is_told_to_the_agent),
        TEST(a_missing_evaluator_is_waited_for),
        TEST(a_result_that_cannot_be_written_is_kept_and_told),
        TEST(a_restart_goes_on_with_the_agents_turn),
        TEST(a_restart_does_not_execute_an_action_twice),
        TEST(a_restart_ends_what_was_not_yet_the_agents),
        TEST(a_restart_asks_again_for_the_verdict),
        TEST(a_restart_notices_that_the_environment_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
