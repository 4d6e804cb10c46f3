/* Prometheus' text format. */
#include "services/telemetry/exposition.h"

#include "tests/support/test.h"

#include <string.h>

static bool first(const char *text, sample_t *sample)
{
    exposition_t exposition;
    exposition_init(&exposition, text, strlen(text));
    return exposition_next(&exposition, sample);
}

static void a_line_is_a_name_labels_and_a_value(void **state)
{
    (void)state;
    sample_t sample;
    char value[16];

    assert_true(first("# TYPE a counter\na_total{x=\"1\",y=\"2\"} 3.5 1700000000000\n", &sample));

    assert_memory_equal(sample.name, "a_total", sample.name_length);
    assert_true(sample.value == 3.5);
    assert_true(exposition_label(sample.labels, sample.labels_length, "y", value, sizeof(value)));
    assert_string_equal(value, "2");
}

static void labels_may_be_left_out(void **state)
{
    (void)state;
    sample_t sample;
    char value[16];

    assert_true(first("up 1", &sample));

    assert_true(sample.value == 1);
    assert_false(exposition_label(sample.labels, sample.labels_length, "x", value, sizeof(value)));
    assert_string_equal(value, "");
}

static void values_are_unescaped(void **state)
{
    (void)state;
    sample_t sample;
    char value[16];

    assert_true(first("a{p=\"x}\\\"\\\\\\n,\",q=\"z\"} 1\n", &sample));

    exposition_label(sample.labels, sample.labels_length, "p", value, sizeof(value));
    assert_string_equal(value, "x}\"\\\n,");
    exposition_label(sample.labels, sample.labels_length, "q", value, sizeof(value));
    assert_string_equal(value, "z");
}

static void a_label_is_not_found_within_another(void **state)
{
    (void)state;
    sample_t sample;
    char value[16];

    assert_true(first("a{x=\"pod=\\\"no\\\"\",container_pod=\"no\",pod=\"yes\"} 1\n", &sample));

    exposition_label(sample.labels, sample.labels_length, "pod", value, sizeof(value));
    assert_string_equal(value, "yes");
}

static void what_is_no_sample_is_skipped(void **state)
{
    (void)state;
    sample_t sample;

    assert_true(first("\n  \n9a 1\na{b=\"c\" 1\na{} x\nb\nlast 7\n", &sample));

    assert_memory_equal(sample.name, "last", 4);
    assert_true(sample.value == 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_a_name_labels_and_a_value),
        cmocka_unit_test(labels_may_be_left_out),
        cmocka_unit_test(values_are_unescaped),
        cmocka_unit_test(a_label_is_not_found_within_another),
        cmocka_unit_test(what_is_no_sample_is_skipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
