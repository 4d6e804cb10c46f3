#include "base/auto.h"
#include "base/nearest.h"
#include "tests/support/test.h"

static const char *const names[] = {"heuristic", "human", "noop", "oracle", "random"};

static void expect_hint(const char *word, const char *expected)
{
    AUTO_FREE char *hint = nearest_hint(word, names, ARRAY_SIZE(names));
    assert_string_equal(hint, expected);
}

static void a_slip_of_the_finger_is_understood(void **state)
{
    (void)state;
    expect_hint("orcale", "did you mean 'oracle'?");
    expect_hint("heuristics", "did you mean 'heuristic'?");
    expect_hint("nop", "did you mean 'noop'?");
}

static void a_beginning_is_near(void **state)
{
    (void)state;
    expect_hint("heu", "did you mean 'heuristic'?");
}

static void letters_of_either_case_are_the_same(void **state)
{
    (void)state;
    expect_hint("RANDOM", "did you mean 'random'?");
}

static void nothing_is_offered_for_something_else(void **state)
{
    (void)state;
    expect_hint("", "");
    expect_hint("xyzzyxyz", "");
}

static void the_best_comes_first(void **state)
{
    (void)state;
    static const char *const ids[] = {"geo-3", "geo-1", "geo-12", "geo-4", "rate-1"};
    const char *near[NEAREST_MAX];
    assert_int_equal(nearest_names("geo-12x", ids, ARRAY_SIZE(ids), near), 3);
    assert_string_equal(near[0], "geo-12");
    assert_string_equal(near[1], "geo-1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slip_of_the_finger_is_understood),
        cmocka_unit_test(a_beginning_is_near),
        cmocka_unit_test(letters_of_either_case_are_the_same),
        cmocka_unit_test(nothing_is_offered_for_something_else),
        cmocka_unit_test(the_best_comes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
