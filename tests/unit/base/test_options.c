#include "base/auto.h"
#include "base/options.h"
#include "tests/support/test.h"

static const struct argp_option table[] = {
    {"agent", 'a', "NAME", 0, NULL, 0},
    {"json", 'j', NULL, 0, NULL, 0},
    {"max-steps", 0x1001, "NUMBER", 0, NULL, 0},
    {0},
};

/* NULL: no complaint. */
static void expect(const char *expected, const char *first, const char *second)
{
    const char *argv[] = {"run", first, second, NULL};
    AUTO_FREE char *complaint = options_complaint(table, second ? 3 : 2, (char *const *)argv);
    if (expected)
        assert_string_equal(complaint, expected);
    else
        assert_null(complaint);
}

static void a_wrong_option_is_answered_with_the_nearest(void **state)
{
    (void)state;
    expect("there is no option '--agnet'; did you mean '--agent'?", "--agnet", "x");
    expect("there is no option '--agnet'; did you mean '--agent'?", "--agnet=x", NULL);
    expect("there is no option '--hlep'; did you mean '--help'?", "--hlep", NULL);
    expect("there is no option '--xyzzyxyz'", "--xyzzyxyz", NULL);
}

static void right_options_and_their_beginnings_pass(void **state)
{
    (void)state;
    expect(NULL, "--agent", "noop");
    expect(NULL, "--max", "3");
    expect(NULL, "--help", "-x");
    expect(NULL, "problem", "--json");
}

static void arguments_of_options_are_no_options(void **state)
{
    (void)state;
    expect(NULL, "--agent", "--agnet");
    expect(NULL, "-a", "--agnet");
    expect(NULL, "-ja", "--agnet");
    expect("there is no option '--agnet'; did you mean '--agent'?", "-anoop", "--agnet");
    expect(NULL, "--", "--agnet");
}

static void without_a_table_argps_own_are_known(void **state)
{
    (void)state;
    const char *argv[] = {"down", "--usage", NULL};
    assert_null(options_complaint(NULL, 2, (char *const *)argv));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_option_is_answered_with_the_nearest),
        cmocka_unit_test(right_options_and_their_beginnings_pass),
        cmocka_unit_test(arguments_of_options_are_no_options),
        cmocka_unit_test(without_a_table_argps_own_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
