/* Schedules: what the parser takes and refuses, and when the next time is. */
#include "services/cluster/env/cron.h"
#include "services/cluster/env/object.h"

#include "tests/support/test.h"

#include <stdlib.h>

static void expect_next(
    const char *schedule, const char *after, const char *zone, const char *expected)
{
    cron_t cron;
    err_t err = {0};
    assert_int_equal(cron_parse(&cron, schedule, &err), 0);
    json_auto_t *next = object_time(cron_next(&cron, object_time_parse(after), zone));
    assert_string_equal(json_string_value(next), expected);
}

static void expect_refusal(const char *schedule, const char *text)
{
    cron_t cron;
    err_t err = {0};
    assert_true(cron_parse(&cron, schedule, &err) < 0);
    assert_string_equal(err.text, text);
}

static void the_next_time_is_later_than_the_last(void **state)
{
    (void)state;
    expect_next("* * * * *", "2026-11-24T10:00:00Z", NULL, "2026-11-24T10:01:00Z");
    expect_next("*/15 * * * *", "2026-11-24T10:07:31Z", NULL, "2026-11-24T10:15:00Z");
    expect_next("5/20 * * * *", "2026-11-24T10:26:00Z", NULL, "2026-11-24T10:45:00Z");
    expect_next("0 3 * * *", "2026-12-31T03:00:00Z", NULL, "2027-01-01T03:00:00Z");
}

static void days_are_by_date_or_by_name(void **state)
{
    (void)state;
    expect_next("30 4 29 feb ?", "2026-11-24T00:00:00Z", NULL, "2028-02-29T04:30:00Z");
    expect_next("0 0 * * mon-fri", "2026-11-27T12:00:00Z", NULL, "2026-11-30T00:00:00Z");
    expect_next("0 0 1 * SUN", "2026-11-24T12:00:00Z", NULL, "2026-11-29T00:00:00Z");
    expect_next("0 0 1,15 * *", "2026-11-24T12:00:00Z", NULL, "2026-12-01T00:00:00Z");
}

static void descriptors_stand_for_schedules(void **state)
{
    (void)state;
    expect_next("@hourly", "2026-11-24T10:07:31Z", NULL, "2026-11-24T11:00:00Z");
    expect_next("@midnight", "2026-11-24T10:07:31Z", NULL, "2026-11-25T00:00:00Z");
    expect_next("@weekly", "2026-11-24T10:07:31Z", NULL, "2026-11-29T00:00:00Z");
    expect_next("@yearly", "2026-11-24T10:07:31Z", NULL, "2027-01-01T00:00:00Z");
    expect_next("@every 1h30m", "2026-11-24T10:07:31Z", NULL, "2026-11-24T11:37:31Z");
}

static void a_day_that_never_comes_has_no_time(void **state)
{
    cron_t cron;
    (void)state;
    assert_int_equal(cron_parse(&cron, "0 0 31 2 *", NULL), 0);
    assert_int_equal(cron_next(&cron, 0, NULL), -1);
}

static void a_time_zone_has_its_own_hours_and_summer(void **state)
{
    (void)state;
    if (cron_check_zone("Europe/Berlin", NULL) < 0)
        skip(); /* no time zones are installed */
    expect_next("0 9 * * *", "2026-11-24T00:00:00Z", "Europe/Berlin", "2026-11-24T08:00:00Z");
    expect_next("0 9 * * *", "2026-07-01T00:00:00Z", "Europe/Berlin", "2026-07-01T07:00:00Z");
    /* at half past two on the day on which that hour is left out */
    expect_next("30 2 * * *", "2026-03-28T12:00:00Z", "Europe/Berlin", "2026-03-30T00:30:00Z");
}

static void the_process_keeps_its_own_time_zone(void **state)
{
    cron_t cron;
    (void)state;
    setenv("TZ", "EST5", 1);
    assert_int_equal(cron_parse(&cron, "@daily", NULL), 0);
    (void)cron_next(&cron, 0, "UTC");
    assert_string_equal(getenv("TZ"), "EST5");
    unsetenv("TZ");
}

static void refusals_are_in_the_parsers_words(void **state)
{
    (void)state;
    expect_refusal("", "empty spec string");
    expect_refusal("* * * *", "expected exactly 5 fields, found 4: [* * * *]");
    expect_refusal("60 * * * *", "end of range (60) above maximum (59): 60");
    expect_refusal("* * 0 * *", "beginning of range (0) below minimum (1): 0");
    expect_refusal("* * * * 5-3", "beginning of range (5) beyond end of range (3): 5-3");
    expect_refusal("*/0 * * * *", "step of range should be a positive number: */0");
    expect_refusal("1-2-3 * * * *", "too many hyphens: 1-2-3");
    expect_refusal("*/2/3 * * * *", "too many slashes: */2/3");
    expect_refusal(
        "x * * * *", "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax");
    expect_refusal("@fortnightly", "unrecognized descriptor: @fortnightly");
    expect_refusal("@every x", "failed to parse duration @every x: time: invalid duration \"x\"");
}

static void zones_are_those_of_the_database(void **state)
{
    err_t err = {0};
    (void)state;
    assert_int_equal(cron_check_zone("UTC", NULL), 0);
    assert_true(cron_check_zone("Mars/Olympus", &err) < 0);
    assert_string_equal(err.text, "unknown time zone Mars/Olympus");
    assert_true(cron_check_zone("../../../etc/passwd", NULL) < 0);
    assert_true(cron_check_zone("Local", NULL) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_time_is_later_than_the_last),
        cmocka_unit_test(days_are_by_date_or_by_name),
        cmocka_unit_test(descriptors_stand_for_schedules),
        cmocka_unit_test(a_day_that_never_comes_has_no_time),
        cmocka_unit_test(a_time_zone_has_its_own_hours_and_summer),
        cmocka_unit_test(the_process_keeps_its_own_time_zone),
        cmocka_unit_test(refusals_are_in_the_parsers_words),
        cmocka_unit_test(zones_are_those_of_the_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
