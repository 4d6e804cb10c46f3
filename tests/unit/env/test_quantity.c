/* Quantities. */
#include "services/cluster/env/quantity.h"

#include "tests/support/test.h"

static int64_t millis(const char *text)
{
    json_auto_t *quantity = json_string(text);
    return quantity_millis(quantity);
}

static int64_t units(const char *text)
{
    json_auto_t *quantity = json_string(text);
    return quantity_units(quantity);
}

static void fractions_are_rounded_up(void **state)
{
    (void)state;
    assert_int_equal(millis("0.1"), 100);
    assert_int_equal(millis("1100u"), 2);
    assert_int_equal(units("1.5"), 2);
}

/* A slack in proportion made 1Gi a byte too small. */
static void whole_numbers_stay_what_they_are(void **state)
{
    (void)state;
    assert_int_equal(units("1Gi"), 1 << 30);
    assert_int_equal(units("10Ti"), (int64_t)10 << 40);
    assert_int_equal(millis("1Mi"), 1048576000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fractions_are_rounded_up),
        cmocka_unit_test(whole_numbers_stay_what_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
