#include "base/auto.h"
#include "metrics/metrics.h"
#include "tests/support/test.h"

#include <math.h>
#include <string.h>

static void expect_text(metrics_t *metrics, const char *expected)
{
    AUTO_FREE char *text = metrics_text(metrics);
    assert_string_equal(text, expected);
}

static void a_counter_adds_up(void **state)
{
    (void)state;
    AUTO(metrics_destroy) metrics_t *metrics = metrics_new();
    metric_t *steps = metrics_counter(metrics, "steps_total", "Steps taken", NULL);
    metric_add(steps, 1);
    metric_add(steps, 2.5);
    expect_text(
        metrics, "# HELP steps_total Steps taken\n# TYPE steps_total counter\nsteps_total 3.5\n");
}

static void the_same_name_and_labels_are_the_same_metric(void **state)
{
    (void)state;
    AUTO(metrics_destroy) metrics_t *metrics = metrics_new();
    metric_t *a = metrics_gauge(metrics, "load", "Load", "node=\"a\"");
    metric_t *b = metrics_gauge(metrics, "load", "Load", "node=\"b\"");
    assert_ptr_equal(metrics_gauge(metrics, "load", "Load", "node=\"a\""), a);
    assert_ptr_not_equal(a, b);
}

static void a_family_stays_together(void **state)
{
    (void)state;
    AUTO(metrics_destroy) metrics_t *metrics = metrics_new();
    metric_set(metrics_gauge(metrics, "load", "Load", "node=\"a\""), 1);
    metric_set(metrics_gauge(metrics, "other", "Other", NULL), 2);
    metric_set(metrics_gauge(metrics, "load", "Load", "node=\"b\""), 3);
    expect_text(metrics,
        "# HELP load Load\n# TYPE load gauge\nload{node=\"a\"} 1\nload{node=\"b\"} 3\n"
        "# HELP other Other\n# TYPE other gauge\nother 2\n");
}

static void a_histogram_keeps_its_labels(void **state)
{
    (void)state;
    AUTO(metrics_destroy) metrics_t *metrics = metrics_new();
    static const double bounds[] = {1};
    metric_observe(metrics_histogram(metrics, "ms", "Latency", "route=\"/\"", bounds, 1), 1);
    expect_text(metrics,
        "# HELP ms Latency\n# TYPE ms histogram\nms_bucket{route=\"/\",le=\"1\"} 1\n"
        "ms_bucket{route=\"/\",le=\"+Inf\"} 1\nms_sum{route=\"/\"} 1\nms_count{route=\"/\"} 1\n");
}

static void a_histogram_counts_up_to_each_bound(void **state)
{
    (void)state;
    AUTO(metrics_destroy) metrics_t *metrics = metrics_new();
    static const double bounds[] = {1, 10};
    metric_t *latency = metrics_histogram(metrics, "ms", "Latency", NULL, bounds, 2);
    metric_observe(latency, 1);
    metric_observe(latency, 5);
    metric_observe(latency, 50);
    expect_text(metrics,
        "# HELP ms Latency\n# TYPE ms histogram\nms_bucket{le=\"1\"} 1\nms_bucket{le=\"10\"} 2\n"
        "ms_bucket{le=\"+Inf\"} 3\nms_sum 56\nms_count 3\n");
}

static void a_counter_kept_elsewhere_is_read_when_asked(void **state)
{
    (void)state;
    AUTO(metrics_destroy) metrics_t *metrics = metrics_new();
    uint64_t requests = 0;
    metrics_counter_at(metrics, "requests_total", "Requests", NULL, &requests);
    requests = 7;
    expect_text(metrics,
        "# HELP requests_total Requests\n# TYPE requests_total counter\nrequests_total 7\n");
}

static void labels_are_escaped(void **state)
{
    (void)state;
    AUTO_FREE char *label = metrics_label("path", "a\"b\\c\nd");
    assert_string_equal(label, "path=\"a\\\"b\\\\c\\nd\"");
}

static void odd_numbers_have_names(void **state)
{
    (void)state;
    AUTO(metrics_destroy) metrics_t *metrics = metrics_new();
    metric_set(metrics_gauge(metrics, "a", "A", NULL), NAN);
    metric_set(metrics_gauge(metrics, "b", "B", NULL), -INFINITY);
    expect_text(metrics, "# HELP a A\n# TYPE a gauge\na NaN\n# HELP b B\n# TYPE b gauge\nb -Inf\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_counter_adds_up),
        cmocka_unit_test(the_same_name_and_labels_are_the_same_metric),
        cmocka_unit_test(a_family_stays_together),
        cmocka_unit_test(a_histogram_keeps_its_labels),
        cmocka_unit_test(a_histogram_counts_up_to_each_bound),
        cmocka_unit_test(a_counter_kept_elsewhere_is_read_when_asked),
        cmocka_unit_test(labels_are_escaped),
        cmocka_unit_test(odd_numbers_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
