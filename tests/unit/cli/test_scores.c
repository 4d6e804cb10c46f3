#include "base/auto.h"
#include "base/mem.h"
#include "cli/scores/scores.h"
#include "tests/support/test.h"

#include <math.h>

static void expect_near(double seen, double wanted)
{
    if (fabs(seen - wanted) > 0.0005)
        fail_msg("%f is not %f", seen, wanted);
}

/* Values of the published formula. */
static void the_interval_is_wilsons(void **state)
{
    (void)state;
    double low;
    double high;
    scores_interval(8, 10, &low, &high);
    expect_near(low, 0.4902);
    expect_near(high, 0.9433);
    scores_interval(0, 5, &low, &high);
    expect_near(low, 0);
    expect_near(high, 0.4345);
    scores_interval(5, 5, &low, &high);
    expect_near(low, 0.5655);
    expect_near(high, 1);
    scores_interval(0, 0, &low, &high);
    expect_near(high - low, 1);
}

static void one_of_k_and_all_of_k(void **state)
{
    (void)state;
    expect_near(scores_pass_at(3, 1, 1), 1.0 / 3);
    expect_near(scores_pass_at(3, 1, 2), 2.0 / 3);
    expect_near(scores_pass_at(3, 1, 3), 1);
    expect_near(scores_pass_at(4, 0, 2), 0);
    expect_near(scores_pass_all(4, 2, 2), 1.0 / 6);
    expect_near(scores_pass_all(4, 4, 4), 1);
    expect_near(scores_pass_all(4, 3, 4), 0);
}

static json_t *session(const char *problem, const char *anomaly, json_t *success /* taken */)
{
    return json_pack("{s:s, s:s, s:s, s:{s:s}, s:o}", "agent", "a", "task", "detection",
        "problem_id", problem, "expected", "anomaly", anomaly, "success", success);
}

static void what_has_no_verdict_counts_for_nobody(void **state)
{
    (void)state;
    json_auto_t *results = json_pack("[o, o, o]", session("p", "Yes", json_true()),
        session("p", "Yes", json_false()), session("p", "Yes", json_null()));
    json_auto_t *scores = scores_of(results);
    json_int_t tries = 0;
    json_int_t voids = 0;
    double rate = 0;
    assert_int_equal(json_array_size(scores), 1);
    assert_int_equal(json_unpack(json_array_get(scores, 0), "{s:I, s:I, s:F}", "tries", &tries,
                         "void", &voids, "rate", &rate),
        0);
    assert_int_equal(tries, 2);
    assert_int_equal(voids, 1);
    expect_near(rate, 0.5);
}

static void what_guessing_scores_stands_beside(void **state)
{
    (void)state;
    json_auto_t *results = json_pack("[o, o, o, o]", session("p", "Yes", json_true()),
        session("q", "No", json_false()), session("r", "No", json_false()),
        session("s", "No", json_false()));
    json_auto_t *scores = scores_of(results);
    double chance = 0;
    double constant = 0;
    double majority = 0;
    assert_int_equal(json_unpack(json_array_get(scores, 0), "{s:F, s:F, s:F}", "chance", &chance,
                         "constant", &constant, "majority", &majority),
        0);
    expect_near(chance, 0.5);
    expect_near(constant, 0.25);
    expect_near(majority, 0.75);
}

static void a_problem_tried_less_often_says_nothing_of_k(void **state)
{
    (void)state;
    json_auto_t *results = json_pack("[o, o, o]", session("p", "Yes", json_true()),
        session("p", "Yes", json_false()), session("q", "Yes", json_true()));
    json_auto_t *scores = scores_of(results);
    const json_t *at = json_object_get(json_array_get(scores, 0), "pass_at");
    expect_near(json_real_value(json_object_get(at, "1")), 0.75);
    expect_near(json_real_value(json_object_get(at, "2")), 1);
    assert_null(json_object_get(at, "3"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_interval_is_wilsons),
        cmocka_unit_test(one_of_k_and_all_of_k),
        cmocka_unit_test(what_has_no_verdict_counts_for_nobody),
        cmocka_unit_test(what_guessing_scores_stands_beside),
        cmocka_unit_test(a_problem_tried_less_often_says_nothing_of_k),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
