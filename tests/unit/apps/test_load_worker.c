/* What the load worker sends when, and how it counts. */
#include "apps/loadgen/arrivals.h"
#include "apps/loadgen/histogram.h"
#include "apps/loadgen/mix.h"
#include "apps/loadgen/report.h"
#include "base/auto.h"
#include "base/mem.h"
#include "tests/support/test.h"

#include <jansson.h>
#include <math.h>

static void quantiles_are_right_within_their_precision(void **state)
{
    (void)state;
    histogram_t *histogram = xcalloc(1, sizeof(*histogram));
    for (uint64_t value = 1; value <= 100000; value++)
        histogram_note(histogram, value);
    uint64_t median = histogram_quantile(histogram, 0.5);
    uint64_t high = histogram_quantile(histogram, 0.99);
    assert_in_range(median, 50000, 50800);
    assert_in_range(high, 99000, 100000);
    assert_int_equal(histogram_quantile(histogram, 1), 100000);
    assert_true(fabs(histogram_mean(histogram) - 50000.5) < 1e-6);
    assert_true(fabs(histogram_deviation(histogram) - 28867.5) < 1);
    free(histogram);
}

static void small_and_huge_values_have_a_bucket(void **state)
{
    (void)state;
    histogram_t *histogram = xcalloc(1, sizeof(*histogram));
    assert_int_equal(histogram_quantile(histogram, 0.5), 0);
    histogram_note(histogram, 0);
    assert_int_equal(histogram_quantile(histogram, 0.5), 0);
    histogram_note(histogram, 127);
    histogram_note(histogram, 128);
    histogram_note(histogram, UINT64_MAX);
    assert_int_equal(histogram_quantile(histogram, 0.5), 127);
    assert_int_equal(histogram_quantile(histogram, 1), (1ULL << 40) - 1);
    free(histogram);
}

static void constant_arrivals_are_even(void **state)
{
    (void)state;
    arrivals_t arrivals;
    arrivals_init(&arrivals, ARRIVALS_CONSTANT, 100, 1);
    assert_int_equal(arrivals_due(&arrivals), 0);
    arrivals_advance(&arrivals);
    assert_int_equal(arrivals_due(&arrivals), 10000000);
}

static void exponential_arrivals_keep_the_rate_and_vary(void **state)
{
    (void)state;
    arrivals_t arrivals;
    double last_ns = 0;
    double squares = 0;
    arrivals_init(&arrivals, ARRIVALS_EXPONENTIAL, 100, 1);
    for (int i = 0; i < 100000; i++) {
        arrivals_advance(&arrivals);
        double gap = arrivals.next_ns - last_ns;
        squares += gap * gap;
        last_ns = arrivals.next_ns;
    }
    /* An exponential distribution's second moment is twice the square of its mean. */
    assert_true(fabs(last_ns / 1e5 / 1e7 - 1) < 0.02);
    assert_true(fabs(squares / 1e5 / (2e14) - 1) < 0.04);
}

static void the_same_seed_gives_the_same_requests(void **state)
{
    (void)state;
    const mix_t *mix = mix_find("mixed-workload_type_1", NULL);
    random_t a, b, c;
    mix_request_t from_a, from_b, from_c;
    random_init(&a, 7, 2);
    random_init(&b, 7, 2);
    random_init(&c, 8, 2);
    mix_draw(mix, &a, &from_a);
    mix_draw(mix, &b, &from_b);
    mix_draw(mix, &c, &from_c);
    assert_string_equal(from_a.path, from_b.path);
    assert_string_not_equal(from_a.path, from_c.path);
}

typedef struct shares {
    int hotels, recommendations, user, reservation;
} shares_t;

static shares_t draw_many(int count)
{
    const mix_t *mix = mix_find("mixed-workload_type_1", NULL);
    shares_t shares = {0};
    random_t random;
    random_init(&random, 1, 2);
    for (int i = 0; i < count; i++) {
        mix_request_t request;
        mix_draw(mix, &random, &request);
        shares.hotels += strncmp(request.path, "/hotels?", 8) == 0;
        shares.recommendations += strncmp(request.path, "/recommendations?", 17) == 0;
        shares.user += strncmp(request.path, "/user?", 6) == 0;
        shares.reservation += strncmp(request.path, "/reservation?", 13) == 0;
    }
    return shares;
}

static void the_mix_keeps_its_shares(void **state)
{
    (void)state;
    shares_t shares = draw_many(100000);
    assert_in_range(shares.hotels, 59400, 60600);
    assert_in_range(shares.recommendations, 38400, 39600);
    assert_in_range(shares.user, 400, 600);
    assert_in_range(shares.reservation, 400, 600);
    assert_int_equal(
        shares.hotels + shares.recommendations + shares.user + shares.reservation, 100000);
}

static void an_unknown_mix_is_refused_with_the_nearest_name(void **state)
{
    (void)state;
    err_t err = {0};
    assert_null(mix_find("mixed-workload_type_2", &err));
    assert_non_null(strstr(err.text, "did you mean 'mixed-workload_type_1'"));
}

static void a_distribution_has_the_originals_names(void **state)
{
    (void)state;
    arrivals_kind_t kind = ARRIVALS_CONSTANT;
    assert_int_equal(arrivals_parse("exp", &kind, NULL), 0);
    assert_int_equal(kind, ARRIVALS_EXPONENTIAL);
    assert_int_equal(arrivals_parse("norm", &kind, NULL), 0);
    assert_int_equal(kind, ARRIVALS_CONSTANT);
    assert_int_equal(arrivals_parse("zipf", &kind, NULL), -ERR_INVALID);
}

static void a_second_is_told_by_itself_and_the_sum_of_all(void **state)
{
    (void)state;
    AUTO_FREE char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    report_t *report = xcalloc(1, sizeof(*report));
    report_init(report);
    report_sent(report);
    report_ended(report, OUTCOME_OK, 1500, 100);
    report_second(report, out);
    report_sent(report);
    report_ended(report, OUTCOME_TIMEOUT, 0, 0);
    report_second(report, out);
    report_final(report, 2, 3, out);
    fclose(out);
    free(report);
    const char *second =
        "{\"second\":2,\"sent\":1,\"ok\":0,\"errors\":1,\"p50_ms\":0.000,\"p90_ms\":0.000,"
        "\"p99_ms\":0.000,\"max_ms\":0.000,\"final\":false}\n";
    const char *sum =
        "\n{\"second\":2,\"sent\":2,\"ok\":1,\"errors\":1,\"p50_ms\":1.500,\"p90_ms\":1.500,"
        "\"p99_ms\":1.500,\"max_ms\":1.500,\"unsent\":3,\"duration_s\":2.000,\"final\":true}\n";
    assert_non_null(strstr(text, second));
    assert_non_null(strstr(text, sum));
    assert_non_null(strstr(text, "  Socket errors: connect 0, read 0, write 0, timeout 1\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_right_within_their_precision),
        cmocka_unit_test(small_and_huge_values_have_a_bucket),
        cmocka_unit_test(constant_arrivals_are_even),
        cmocka_unit_test(exponential_arrivals_keep_the_rate_and_vary),
        cmocka_unit_test(the_same_seed_gives_the_same_requests),
        cmocka_unit_test(the_mix_keeps_its_shares),
        cmocka_unit_test(an_unknown_mix_is_refused_with_the_nearest_name),
        cmocka_unit_test(a_distribution_has_the_originals_names),
        cmocka_unit_test(a_second_is_told_by_itself_and_the_sum_of_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
