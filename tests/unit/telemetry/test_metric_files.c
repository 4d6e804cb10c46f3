/* The history and the files made of it. */
#include "services/telemetry/metric_files.h"

#include "base/auto.h"
#include "base/mem.h"

#include "tests/support/test.h"

enum { START_MS = 1000000, SECOND = 1000 };

static bool describe(void *arg, history_series_t *series)
{
    *series = (history_series_t){.kind = HISTORY_CONTAINER,
        .name = xstrdup(arg),
        .namespace = xstrdup("shop"),
        .owner = xstrdup("node.pod"),
        .detail = xstrdup("")};
    return true;
}

static void put(history_t *history, const char *name, double value)
{
    AUTO_FREE char *copy = xstrdup(name);
    history_put(history, name, value, describe, copy);
}

/* One tick a second in which "m" has the value of the tick's number divided by `divisor`. */
static history_t *history_of(int ticks, int divisor, int64_t window_ms, size_t limit)
{
    history_t *history = history_new(window_ms, limit);
    for (int i = 0; i < ticks; i++) {
        history_tick(history, START_MS + i * SECOND);
        put(history, "m", i / divisor);
    }
    return history;
}

static const char *text_of(const json_t *files, size_t i)
{
    return json_string_value(json_object_get(json_array_get(files, i), "text"));
}

static size_t count_lines(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += *text == '\n';
    return count;
}

static void little_data_is_told_second_by_second(void **state)
{
    (void)state;
    AUTO(history_destroy) history_t *history = history_of(3, 1, 60000, 1 << 20);

    json_auto_t *files = metric_files(history, "shop", 5);

    assert_int_equal(json_array_size(files), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(files, 0), "path")),
        "container/kpi_m.csv");
    assert_string_equal(text_of(files, 0), "timestamp,cmdb_id,kpi_name,value\n"
                                           "1000,node.pod,m,0.0\n"
                                           "1001,node.pod,m,1.0\n"
                                           "1002,node.pod,m,2.0\n");
}

static void five_minutes_are_told_in_steps_of_15_seconds(void **state)
{
    (void)state;
    AUTO(history_destroy) history_t *history = history_of(900, 1, 3600000, 1 << 20);

    json_auto_t *files = metric_files(history, "shop", 5);

    assert_int_equal(count_lines(text_of(files, 0)), 1 + 21);
    assert_non_null(strstr(text_of(files, 0), "\n1599,node.pod,m,599.0\n1614,node.pod,m,614.0\n"));
}

static void other_namespaces_are_left_out(void **state)
{
    (void)state;
    AUTO(history_destroy) history_t *history = history_of(3, 1, 60000, 1 << 20);

    json_auto_t *files = metric_files(history, "elsewhere", 5);

    assert_int_equal(json_array_size(files), 0);
}

static void a_series_that_ended_is_not_told_on(void **state)
{
    (void)state;
    AUTO(history_destroy) history_t *history = history_of(2, 1, 60000, 1 << 20);
    for (int i = 2; i < 12; i++)
        history_tick(history, START_MS + i * SECOND);

    json_auto_t *files = metric_files(history, "shop", 5);

    /* the last value stands for 5 s, as one scrape may fail */
    assert_int_equal(count_lines(text_of(files, 0)), 1 + 2 + 5);
}

static void numbers_are_rounded_to_three_digits(void **state)
{
    (void)state;
    AUTO(history_destroy) history_t *history = history_new(60000, 1 << 20);
    history_tick(history, START_MS);
    put(history, "a", 0.12345);
    put(history, "b", 123456789012.0);

    json_auto_t *files = metric_files(history, "shop", 5);

    assert_non_null(strstr(text_of(files, 0), ",a,0.123\n"));
    assert_non_null(strstr(text_of(files, 1), ",b,123456789012.0\n"));
}

static void what_does_not_change_costs_nothing(void **state)
{
    (void)state;
    AUTO(history_destroy) history_t *few = history_of(10, 1000000, 3600000, 1 << 20);
    AUTO(history_destroy) history_t *many = history_of(1000, 1000000, 3600000, 1 << 20);

    assert_int_equal(history_bytes(few), history_bytes(many));
}

static void what_is_older_than_the_window_is_forgotten(void **state)
{
    (void)state;
    AUTO(history_destroy) history_t *history = history_of(600, 1, 60000, 1 << 20);

    assert_in_range(history_end(history) - history_begin(history), 60000, 90000);
    assert_int_equal(history_dropped(history), 0);
}

static void memory_is_bounded_and_what_is_lost_is_counted(void **state)
{
    (void)state;
    enum { LIMIT = 1600, SLACK = 31 * 16 };
    AUTO(history_destroy) history_t *history = history_of(1000, 1, 3600000, LIMIT);

    assert_in_range(history_bytes(history), 1, LIMIT + SLACK);
    assert_in_range(history_dropped(history), 800, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(little_data_is_told_second_by_second),
        cmocka_unit_test(five_minutes_are_told_in_steps_of_15_seconds),
        cmocka_unit_test(other_namespaces_are_left_out),
        cmocka_unit_test(a_series_that_ended_is_not_told_on),
        cmocka_unit_test(numbers_are_rounded_to_three_digits),
        cmocka_unit_test(what_does_not_change_costs_nothing),
        cmocka_unit_test(what_is_older_than_the_window_is_forgotten),
        cmocka_unit_test(memory_is_bounded_and_what_is_lost_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
