/* Problems with several faults, with a baseline, and with an evaluator of their own. */
#include "base/auto.h"
#include "base/mem.h"
#include "tests/integration/orchestrator/cast.h"

#include <stdio.h>
#include <sys/stat.h>

#define HEAD                                                                                       \
    "family: f\nsummary: s\napplication: hotel-reservation\n"                                      \
    "load: {url: u, mix: m, distribution: exp, rate: 100, connections: 1}\n"
#define DETECTION                                                                                  \
    "problems:\n  - {id: p, task: detection, expected: {anomaly: \"Yes\"}, solution: [x]}\n"
#define MITIGATION "problems:\n  - {id: p, task: mitigation, mitigated_when: {}, solution: [x]}\n"

/* An orchestrator that knows one file of problems. */
static void start_with(cast_t *cast, const char *text)
{
    char folder[100];
    snprintf(folder, sizeof(folder), "%s/problems", cast->folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    AUTO_FREE char *path = xasprintf("%s/p.yaml", folder);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    cast_kill_orchestrator(cast);
    cast->problems = folder;
    cast_start_orchestrator(cast);
    cast->problems = NULL;
}

static const char *open_session(cast_t *cast)
{
    return cast_open(cast, &(session_open_t){.problem = "p", .agent = "test"});
}

static void all_faults_that_come_first_are_in_force_before_the_agent_acts(void **state)
{
    cast_t *cast = *state;
    start_with(cast, HEAD "faults:\n  - {fault: misconfig_app, targets: [geo]}\n"
                          "  - {fault: misconfig_app, targets: [rate]}\n" DETECTION);
    const char *session = open_session(cast);
    cast_run(cast, 3000);
    assert_string_equal(cast_state(cast, session), "active");
    assert_int_equal(cast->injected, 2);
    cast_act(cast, session, 1, "submit(\"Yes\")");
    cast_run(cast, 100);
    assert_int_equal(cast->faults_judged, 2);
}

static void a_later_fault_comes_at_its_time(void **state)
{
    cast_t *cast = *state;
    start_with(cast,
        HEAD "faults:\n  - {fault: misconfig_app, targets: [geo]}\n"
             "  - {fault: misconfig_app, targets: [rate], after_ms: 10000}\n" DETECTION);
    const char *session = open_session(cast);
    cast_run(cast, 9000);
    assert_string_equal(cast_state(cast, session), "active");
    assert_int_equal(cast->injected, 1);
    cast_run(cast, 4000);
    assert_int_equal(cast->injected, 2);
    assert_string_equal(cast_state(cast, session), "active");
}

static void a_later_fault_that_nobody_waited_for_is_not_judged(void **state)
{
    cast_t *cast = *state;
    start_with(cast,
        HEAD "faults:\n  - {fault: misconfig_app, targets: [geo]}\n"
             "  - {fault: misconfig_app, targets: [rate], after_ms: 10000}\n" DETECTION);
    const char *session = open_session(cast);
    cast_run(cast, 3000);
    cast_act(cast, session, 1, "submit(\"Yes\")");
    cast_run(cast, 20000);
    assert_string_equal(cast_state(cast, session), "closed");
    assert_int_equal(cast->injected, 1);
    assert_int_equal(cast->faults_judged, 1);
}

static void a_later_fault_comes_though_the_orchestrator_was_killed(void **state)
{
    cast_t *cast = *state;
    start_with(cast,
        HEAD "faults:\n  - {fault: misconfig_app, targets: [geo]}\n"
             "  - {fault: misconfig_app, targets: [rate], after_ms: 10000}\n" DETECTION);
    AUTO_FREE char *session = xstrdup(open_session(cast));
    char folder[100];
    cast_run(cast, 3000);
    cast_kill_orchestrator(cast);
    snprintf(folder, sizeof(folder), "%s/problems", cast->folder);
    cast->problems = folder;
    cast_start_orchestrator(cast);
    cast_run(cast, 12000);
    assert_string_equal(cast_state(cast, session), "active");
    assert_int_equal(cast->injected, 2);
}

static void a_mitigation_waits_for_its_baseline(void **state)
{
    cast_t *cast = *state;
    start_with(cast, HEAD "faults: [{fault: misconfig_app, targets: [geo]}]\n" MITIGATION);
    cast->is_baseline_kept = true;
    const char *session = open_session(cast);
    cast_run(cast, 5000);
    assert_string_equal(cast_state(cast, session), "baseline");
    assert_int_equal(cast->injected, 0);
    cast_answer_baseline(cast);
    cast_run(cast, 100);
    assert_string_equal(cast_state(cast, session), "active");
    assert_int_equal(cast->baselines, 1);
}

static void what_is_not_mended_needs_no_baseline(void **state)
{
    cast_t *cast = *state;
    start_with(cast, HEAD "faults: [{fault: misconfig_app, targets: [geo]}]\n" DETECTION);
    const char *session = open_session(cast);
    cast_run(cast, 3000);
    assert_string_equal(cast_state(cast, session), "active");
    assert_int_equal(cast->baselines, 0);
}

static void on_own_judge(void *arg, bus_request_t *request, const void *message)
{
    int *judged = arg;
    (void)message;
    ++*judged;
    json_auto_t *results = json_pack("{s:s}", "my score", "high");
    bus_reply(&request, &verdict_type, &(verdict_t){.success = true, .results = results});
}

static void a_problem_may_have_an_evaluator_of_its_own(void **state)
{
    static const bus_handler_t handlers[] = {{&session_judge_type, on_own_judge}};
    cast_t *cast = *state;
    int judged = 0;
    bus_t *own = bus_world_program(cast->world, "mine", "1");
    bus_serve(own, "mine", handlers, ARRAY_SIZE(handlers), &judged);
    start_with(cast, HEAD "evaluator: mine\nfaults: [{fault: noop}]\n" DETECTION);
    const char *session = open_session(cast);
    cast_run(cast, 3000);
    cast_act(cast, session, 1, "submit(\"Yes\")");
    cast_run(cast, 100);
    assert_int_equal(judged, 1);
    assert_int_equal(cast->judged, 0);
    json_auto_t *result = cast_result(cast, session);
    const char *score = NULL;
    assert_int_equal(json_unpack(result, "{s:{s:s}}", "results", "my score", &score), 0);
    assert_string_equal(score, "high");
    bus_destroy(&own);
}

/* The text under a key of the result of a session of the problem, played with a seed; static. */
static const char *digest_with(cast_t *cast, int64_t seed)
{
    static char digest[32];
    cast->is_fault_active = false; /* the last session's */
    const char *session =
        cast_open(cast, &(session_open_t){.problem = "p", .agent = "test", .seed = seed});
    cast_run(cast, 3000);
    cast_act(cast, session, 1, "submit(\"Yes\")");
    cast_run(cast, 1000);
    json_auto_t *result = cast_result(cast, session);
    (void)snprintf(
        digest, sizeof(digest), "%s", json_string_value(json_object_get(result, "plan_digest")));
    return digest;
}

static void the_same_seed_gives_the_same_digest(void **state)
{
    cast_t *cast = *state;
    start_with(cast, HEAD "vary: [{name: target, values: [geo, rate]}]\n"
                          "faults: [{fault: misconfig_app, targets: [\"${target}\"]}]\n" DETECTION);
    AUTO_FREE char *first = xstrdup(digest_with(cast, 1));
    AUTO_FREE char *other = xstrdup(digest_with(cast, 2));
    assert_string_equal(digest_with(cast, 1), first);
    assert_string_not_equal(first, other);
}

static void a_healthy_twin_has_no_fault_and_waits_for_no_symptom(void **state)
{
    cast_t *cast = *state;
    start_with(cast, HEAD "symptom: {errors_percent: 5, within_ms: 5000}\n"
                          "faults: [{fault: misconfig_app, targets: [geo]}]\n" DETECTION);
    cast->fault_errors = 0;
    const char *session =
        cast_open(cast, &(session_open_t){.problem = "p", .agent = "test", .is_healthy = true});
    cast_run(cast, 3000);
    assert_string_equal(cast_state(cast, session), "active");
    cast_act(cast, session, 1, "submit(\"No\")");
    cast_run(cast, 1000);
    json_auto_t *result = cast_result(cast, session);
    const char *anomaly = NULL;
    assert_int_equal(json_unpack(result, "{s:{s:s}}", "expected", "anomaly", &anomaly), 0);
    assert_string_equal(anomaly, "No");
    assert_int_equal(cast->injected, 0);
    assert_int_equal(cast->faults_judged, 0);
    assert_true(json_is_null(json_object_get(result, "symptom_after_ms")));
    assert_true(json_is_true(json_object_get(result, "healthy")));
}

static void a_symptom_is_told_with_its_time_and_a_twin_that_has_it_too(void **state)
{
    cast_t *cast = *state;
    start_with(cast, HEAD "symptom: {errors_percent: 5, within_ms: 5000}\n"
                          "faults: [{fault: misconfig_app, targets: [geo]}]\n" DETECTION);
    for (int is_healthy = 0; is_healthy < 2; is_healthy++) {
        cast->is_fault_active = false;
        const char *session = cast_open(
            cast, &(session_open_t){.problem = "p", .agent = "test", .is_healthy = is_healthy});
        cast_run(cast, 2500);
        cast->is_fault_active = true; /* of the twin, nobody said so */
        cast_run(cast, 2500);
        cast_act(cast, session, 1, "submit(\"No\")");
        cast_run(cast, 1000);
        json_auto_t *result = cast_result(cast, session);
        assert_true(json_is_integer(json_object_get(result, "symptom_after_ms")));
    }
}

#define TEST(rule) cmocka_unit_test_setup_teardown(rule, cast_set_up, cast_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_faults_that_come_first_are_in_force_before_the_agent_acts),
        TEST(a_later_fault_comes_at_its_time),
        TEST(a_later_fault_that_nobody_waited_for_is_not_judged),
        TEST(a_later_fault_comes_though_the_orchestrator_was_killed),
        TEST(a_mitigation_waits_for_its_baseline),
        TEST(what_is_not_mended_needs_no_baseline),
        TEST(the_same_seed_gives_the_same_digest),
        TEST(a_healthy_twin_has_no_fault_and_waits_for_no_symptom),
        TEST(a_symptom_is_told_with_its_time_and_a_twin_that_has_it_too),
        TEST(a_problem_may_have_an_evaluator_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
