#include "base/auto.h"
#include "services/orchestrator/table.h"
#include "tests/support/test.h"

static void expect(const char *csv, size_t size_max, const char *expected)
{
    AUTO_FREE char *text = table_render(csv, size_max);
    assert_string_equal(text, expected);
}

static void columns_are_aligned_to_the_right(void **state)
{
    (void)state;
    expect("timestamp,value\n1,2.5\n17,100\n", 1000,
        "timestamp value\n        1   2.5\n       17 "
        "  100");
}

static void quoted_fields_may_hold_commas_and_quotes(void **state)
{
    (void)state;
    expect("a,b\n\"x,y\",\"say \"\"hi\"\"\"\n", 1000, "  a        b\nx,y say \"hi\"");
}

static void empty_fields_keep_their_place(void **state)
{
    (void)state;
    expect("a,b,c\n1,,3\n,,\n", 1000, "a b c\n1   3\n     ");
}

static void a_long_table_is_cut_and_says_so(void **state)
{
    (void)state;
    expect("a\n1\n2\n3\n4\n", 4, "a\n1\n(3 more rows; search in them with exec_shell.)");
}

static void nothing_is_an_empty_table(void **state)
{
    (void)state;
    expect("", 1000, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_aligned_to_the_right),
        cmocka_unit_test(quoted_fields_may_hold_commas_and_quotes),
        cmocka_unit_test(empty_fields_keep_their_place),
        cmocka_unit_test(a_long_table_is_cut_and_says_so),
        cmocka_unit_test(nothing_is_an_empty_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
