#include "apps/common/cache.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>

static void on_value(void *arg, const char *key, const char *value, size_t size)
{
    char *seen = arg;
    size_t used = strlen(seen);
    snprintf(seen + used, 256 - used, "%s=%.*s;", key, (int)size, value);
}

static void expect(const char *data, int expected_rc, const char *expected)
{
    char seen[256] = "";
    assert_int_equal(cache_read_values(data, strlen(data), on_value, seen), expected_rc);
    assert_string_equal(seen, expected);
}

static void values_are_read(void **state)
{
    (void)state;
    expect("VALUE 4_cap 0 3\r\n200\r\nVALUE 5 7 2\r\n\r\n\r\nEND\r\n", 1, "4_cap=200;5=\r\n;");
}

static void a_miss_is_no_value(void **state)
{
    (void)state;
    expect("END\r\n", 1, "");
}

static void an_unfinished_answer_wants_more(void **state)
{
    (void)state;
    expect("", 0, "");
    expect("VALUE 4 0 3\r\n20", 0, "");
    expect("VALUE 4 0 3\r\n200\r\nEN", 0, "4=200;");
}

static void an_error_is_no_answer(void **state)
{
    (void)state;
    expect("SERVER_ERROR out of memory\r\n", -1, "");
    expect("VALUE 4 0 3\r\n2000\r\nEND\r\n", -1, "");
    expect("VALUE 4 0 9999999\r\n", -1, "");
    expect("END\n", -1, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read),
        cmocka_unit_test(a_miss_is_no_value),
        cmocka_unit_test(an_unfinished_answer_wants_more),
        cmocka_unit_test(an_error_is_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
