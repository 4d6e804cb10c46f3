#include "base/number.h"
#include "tests/support/test.h"

static void a_number_is_all_of_the_text(void **state)
{
    (void)state;
    int64_t number = 7;
    assert_true(number_parse("-42", INT64_MIN, INT64_MAX, &number));
    assert_int_equal(number, -42);
    assert_false(number_parse("", 0, 9, &number));
    assert_false(number_parse("4 ", 0, 9, &number));
    assert_false(number_parse("4ms", 0, 9, &number));
    assert_int_equal(number, -42);
}

static void limits_are_part_of_the_range(void **state)
{
    (void)state;
    int64_t number = 0;
    assert_true(number_parse("1", 1, 3, &number));
    assert_true(number_parse("3", 1, 3, &number));
    assert_false(number_parse("0", 1, 3, &number));
    assert_false(number_parse("4", 1, 3, &number));
    assert_false(number_parse("9223372036854775808", 0, INT64_MAX, &number));
}

static void what_is_no_number_has_a_substitute(void **state)
{
    (void)state;
    assert_int_equal(number_or("5", 0, 9, 1), 5);
    assert_int_equal(number_or("50", 0, 9, 1), 1);
    assert_int_equal(number_or(NULL, 0, 9, 1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_all_of_the_text),
        cmocka_unit_test(limits_are_part_of_the_range),
        cmocka_unit_test(what_is_no_number_has_a_substitute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
