#include "services/loadgen/line.h"
#include "tests/support/test.h"

static void a_line_of_the_worker_is_a_report(void **state)
{
    (void)state;
    load_report_t report = {.load = "l"};
    assert_true(line_read("{\"second\":2,\"sent\":100,\"ok\":98,\"errors\":2,\"p50_ms\":1.500,"
                          "\"p90_ms\":2,\"p99_ms\":3,\"max_ms\":4,\"final\":true,\"unsent\":0}",
        &report));
    assert_int_equal(report.second, 2);
    assert_int_equal(report.sent, 100);
    assert_int_equal(report.ok, 98);
    assert_int_equal(report.errors, 2);
    assert_true(report.p50_ms == 1.5);
    assert_true(report.is_final);
    assert_string_equal(report.load, "l");
}

static void anything_else_is_none_and_changes_nothing(void **state)
{
    (void)state;
    load_report_t report = {.second = 7};
    assert_false(line_read("", &report));
    assert_false(line_read("Requests/sec:     204.50", &report));
    assert_false(line_read("{\"second\":1}", &report));
    assert_false(line_read("{\"second\":1,\"sent\":-1,\"ok\":98,\"errors\":2,\"p50_ms\":1,"
                           "\"p90_ms\":2,\"p99_ms\":3,\"max_ms\":4,\"final\":false}",
        &report));
    assert_int_equal(report.second, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_of_the_worker_is_a_report),
        cmocka_unit_test(anything_else_is_none_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
