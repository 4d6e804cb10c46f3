/* Where hotels are, how long a stay is, who may log in: the hotel services' own knowledge. */
#include "apps/hotel-reservation/geometry.h"
#include "apps/hotel-reservation/hotels.h"
#include "apps/hotel-reservation/password.h"
#include "apps/hotel-reservation/stay.h"
#include "base/auto.h"
#include "tests/support/test.h"

#include <math.h>
#include <string.h>

static void the_distance_of_two_cities_is_right(void **state)
{
    (void)state;
    /* Paris to New York, by a geodesic calculator: 5,837 km on the ellipsoid. */
    double distance = geometry_distance_km(48.8566, 2.3522, 40.7128, -74.0060);
    assert_true(fabs(distance - 5837) < 20);
    assert_true(geometry_distance_km(1, 2, 1, 2) == 0);
}

static void the_nearest_come_first_and_none_from_afar(void **state)
{
    (void)state;
    const point_t points[] = {{"far", 0, 1}, {"near", 0, 0.01}, {"at", 0, 0}, {"nearer", 0, 0.005}};
    const point_t *nearest[3];
    assert_int_equal(geometry_nearest(points, 4, 0, 0, 10, nearest, 3), 3);
    assert_string_equal(nearest[0]->id, "at");
    assert_string_equal(nearest[1]->id, "nearer");
    assert_string_equal(nearest[2]->id, "near");
    assert_int_equal(geometry_nearest(points, 4, 0, 0, 10, nearest, 2), 2);
    assert_string_equal(nearest[1]->id, "nearer");
    assert_int_equal(geometry_nearest(points, 4, 0, 0, 10, nearest, 0), 0);
    assert_int_equal(geometry_nearest(points, 4, 45, 45, 10, nearest, 3), 0);
    assert_int_equal(geometry_nearest(points, 4, NAN, 0, 10, nearest, 3), 0);
}

static void a_stay_is_counted_in_nights(void **state)
{
    (void)state;
    stay_t stay;
    assert_int_equal(stay_parse("2016-02-28", "2016-03-01", &stay, NULL), 0);
    assert_int_equal(stay.night_count, 2);
    assert_string_equal(stay.dates[1], "2016-02-29");
    assert_string_equal(stay.dates[2], "2016-03-01");
}

static void a_stay_needs_two_dates_in_order(void **state)
{
    (void)state;
    stay_t stay;
    assert_int_equal(stay_parse("2015-04-09", "2015-04-09", &stay, NULL), -ERR_INVALID);
    assert_int_equal(stay_parse("2015-04-09", "2015-04-08", &stay, NULL), -ERR_INVALID);
    assert_int_equal(stay_parse("2015-04-09", "2016-04-09", &stay, NULL), -ERR_INVALID);
    assert_int_equal(stay_parse("2015-02-30", "2015-03-02", &stay, NULL), -ERR_INVALID);
    assert_int_equal(stay_parse("2015-4-9", "2015-04-10", &stay, NULL), -ERR_INVALID);
    assert_int_equal(stay_parse(NULL, "2015-04-10", &stay, NULL), -ERR_INVALID);
}

static void the_data_are_the_originals(void **state)
{
    (void)state;
    json_auto_t *point = hotels_point(7);
    json_auto_t *plan = hotels_rate_plan(9);
    json_auto_t *profile = hotels_profile(80);
    json_auto_t *recommendation = hotels_recommendation(39);
    assert_true(fabs(json_number_value(json_object_get(point, "lat")) - 37.8255) < 1e-9);
    assert_true(fabs(json_number_value(json_object_get(point, "lon")) + 122.354) < 1e-9);
    assert_string_equal(json_string_value(json_object_get(plan, "outDate")), "2015-04-24");
    assert_string_equal(
        json_string_value(json_object_get(profile, "phoneNumber")), "(415) 284-4080");
    assert_true(json_number_value(json_object_get(recommendation, "rate")) == 232);
    assert_null(hotels_rate_plan(4));
    assert_null(hotels_rate_plan(10));
    assert_int_equal(hotels_capacity(6), 200);
    assert_int_equal(hotels_capacity(7), 300);
    assert_int_equal(hotels_capacity(8), 250);
}

static void a_password_is_the_number_ten_times(void **state)
{
    (void)state;
    char password[PASSWORD_SIZE];
    password_of(500, password);
    assert_string_equal(password, "500500500500500500500500500500");
    password_of(0, password);
    assert_string_equal(password, "0000000000");
}

static void a_password_is_kept_as_its_sha_256(void **state)
{
    (void)state;
    char hash[PASSWORD_HASH_SIZE];
    password_hash("abc", hash); /* FIPS 180-2, appendix B.1 */
    assert_string_equal(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_distance_of_two_cities_is_right),
        cmocka_unit_test(the_nearest_come_first_and_none_from_afar),
        cmocka_unit_test(a_stay_is_counted_in_nights),
        cmocka_unit_test(a_stay_needs_two_dates_in_order),
        cmocka_unit_test(the_data_are_the_originals),
        cmocka_unit_test(a_password_is_the_number_ten_times),
        cmocka_unit_test(a_password_is_kept_as_its_sha_256),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
