/* Sessions with real environments; and what becomes of them when something is killed in the
 * middle. */
#include "base/auto.h"
#include "base/mem.h"
#include "tests/e2e/session/lab.h"

#define TEST(rule) cmocka_unit_test_setup_teardown(rule, lab_set_up, lab_tear_down)

#define NOOP       "noop_detection_hotel_reservation-1"
#define MITIGATION "misconfig_app_hotel_res-mitigation-1"

enum { SETUP_MS = 60000, END_MS = 60000, MITIGATION_MS = 200000 };

static char *open_active(lab_t *lab, const char *problem)
{
    char *session = lab_open(lab, problem, 0);
    AUTO_FREE char *state = lab_await(lab, session, "active", SETUP_MS);
    assert_string_equal(state, "active");
    return session;
}

static void expect_end(lab_t *lab, const char *session, const char *wanted, int64_t within_ms)
{
    AUTO_FREE char *state = lab_await(lab, session, "closed", within_ms);
    assert_memory_equal(state, wanted, strlen(wanted));
    assert_int_equal(lab_count_envs(lab), 0);
}

static bool is_success(lab_t *lab, const char *session)
{
    json_auto_t *result = lab_result(lab, session);
    return json_is_true(json_object_get(result, "success"));
}

static void act(lab_t *lab, const char *session, int64_t step, const char *action, const char *part)
{
    AUTO_FREE char *observation = lab_act(lab, session, step, action);
    if (!strstr(observation, part))
        fail_msg("'%s' is not in the observation: %s", part, observation);
}

/* ---- whole sessions ----------------------------------------------------------------------- */

static void no_is_right_when_nothing_is_wrong(void **state)
{
    lab_t *lab = *state;
    AUTO_FREE char *session = open_active(lab, NOOP);
    act(lab, session, 1, "```\nexec_shell(\"kubectl get pods -A\")\n```", "frontend");
    act(lab, session, 2, "```\nsubmit(\"No\")\n```", "accepted");
    expect_end(lab, session, "closed", END_MS);
    assert_true(is_success(lab, session));
}

static void the_reference_solution_mitigates(void **state)
{
    lab_t *lab = *state;
    AUTO_FREE char *session = open_active(lab, MITIGATION);
    act(lab, session, 1,
        "exec_shell(\"kubectl set image deployment/geo "
        "hotel-reserv-geo=yinfangchen/hotelreservation:latest -n test-hotel-reservation\")",
        "updated");
    act(lab, session, 2,
        "exec_shell(\"kubectl rollout status deployment/geo -n test-hotel-reservation "
        "--timeout=60s\", timeout=70)",
        "successfully");
    act(lab, session, 3, "submit()", "accepted");
    expect_end(lab, session, "closed", MITIGATION_MS);
    assert_true(is_success(lab, session));
}

static void doing_nothing_does_not_mitigate(void **state)
{
    lab_t *lab = *state;
    AUTO_FREE char *session = open_active(lab, MITIGATION);
    act(lab, session, 1, "submit()", "accepted");
    expect_end(lab, session, "closed", MITIGATION_MS);
    assert_false(is_success(lab, session));
}

static void deleting_the_culprit_does_not_mitigate(void **state)
{
    lab_t *lab = *state;
    AUTO_FREE char *session = open_active(lab, MITIGATION);
    act(lab, session, 1, "exec_shell(\"kubectl delete deployment geo -n test-hotel-reservation\")",
        "deleted");
    act(lab, session, 2, "submit()", "accepted");
    expect_end(lab, session, "closed", MITIGATION_MS);
    assert_false(is_success(lab, session));
}

static void an_agent_that_disappears_is_judged_and_its_environment_goes(void **state)
{
    lab_t *lab = *state;
    AUTO_FREE char *session = lab_open(lab, NOOP, 1000);
    expect_end(lab, session, "closed", SETUP_MS);
    assert_false(is_success(lab, session));
}

/* ---- kill -9 in the middle ---------------------------------------------------------------- */

/* Kills and starts a program while the agent has its turn; the session goes on to its verdict. */
static void survive(lab_t *lab, const char *name)
{
    AUTO_FREE char *session = open_active(lab, NOOP);
    act(lab, session, 1, "exec_shell(\"echo before\")", "before");
    lab_kill(lab, name);
    lab_start(lab, name);
    act(lab, session, 2, "exec_shell(\"echo after\")", "after");
    act(lab, session, 3, "submit(\"No\")", "accepted");
    expect_end(lab, session, "closed", END_MS);
    assert_true(is_success(lab, session));
}

static void a_killed_orchestrator_goes_on(void **state)
{
    survive(*state, "orchestrator");
}

static void a_killed_broker_is_found_again(void **state)
{
    survive(*state, "broker");
}

static void a_killed_injector_is_not_missed(void **state)
{
    survive(*state, "injector");
}

static void a_killed_evaluator_is_not_missed(void **state)
{
    survive(*state, "evaluator");
}

static void a_killed_loadgen_is_not_missed(void **state)
{
    survive(*state, "loadgen");
}

static void a_killed_telemetry_is_not_missed(void **state)
{
    survive(*state, "telemetry");
}

static void a_killed_cluster_service_ends_the_session_with_a_reason(void **state)
{
    lab_t *lab = *state;
    AUTO_FREE char *session = open_active(lab, NOOP);
    lab_kill(lab, "cluster");
    lab_start(lab, "cluster");
    AUTO_FREE char *end = lab_await(lab, session, "closed", END_MS);
    assert_memory_equal(end, "failed: ", 8);
    assert_int_equal(lab_count_envs(lab), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_is_right_when_nothing_is_wrong),
        TEST(the_reference_solution_mitigates),
        TEST(doing_nothing_does_not_mitigate),
        TEST(deleting_the_culprit_does_not_mitigate),
        TEST(an_agent_that_disappears_is_judged_and_its_environment_goes),
        TEST(a_killed_orchestrator_goes_on),
        TEST(a_killed_broker_is_found_again),
        TEST(a_killed_injector_is_not_missed),
        TEST(a_killed_evaluator_is_not_missed),
        TEST(a_killed_loadgen_is_not_missed),
        TEST(a_killed_telemetry_is_not_missed),
        TEST(a_killed_cluster_service_ends_the_session_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
