#include "base/auto.h"
#include "base/mem.h"
#include "tests/integration/hotel-reservation/stack.h"
#include "tests/support/namespaces.h"
#include "tests/support/test.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#define DATES "inDate=2015-04-09&outDate=2015-04-11"
#define LOGIN "username=Cornell_7&password=7777777777"

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* "24 21": the ids of the features, in order. */
static void expect_hotels(app_stack_t *stack, const char *path, const char *expected)
{
    int status = 0;
    json_auto_t *answer = stack_json(stack, "frontend", path, &status);
    assert_int_equal(status, 200);
    assert_string_equal(json_string_value(json_object_get(answer, "type")), "FeatureCollection");
    char ids[256] = "";
    size_t i = 0;
    json_t *feature = NULL;
    json_array_foreach(json_object_get(answer, "features"), i, feature)
    {
        strncat(ids, i ? " " : "", 2);
        strncat(ids, json_string_value(json_object_get(feature, "id")), 8);
    }
    assert_string_equal(ids, expected);
}

static void expect_answer(
    app_stack_t *stack, const char *path, int expected_status, const char *expected)
{
    AUTO_FREE char *body = NULL;
    int status = stack_http(stack, "frontend", "POST", path, NULL, &body);
    assert_string_equal(body, expected);
    assert_int_equal(status, expected_status);
}

static void expect_in(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' is not in: %s", part, text);
}

/* ---- answers -------------------------------------------------------------------------------- */

static void hotels_with_a_rate_near_a_place_are_found_the_dearest_first(void **state)
{
    expect_hotels(*state, "/hotels?" DATES "&lat=37.9&lon=-122.2", "24 21");
}

static void no_hotel_is_near_the_north_pole(void **state)
{
    expect_hotels(*state, "/hotels?" DATES "&lat=90&lon=0", "");
}

static void the_nearest_hotel_is_recommended(void **state)
{
    expect_hotels(*state, "/recommendations?require=dis&lat=37.9&lon=-122.2", "23");
}

static void the_best_rated_hotels_are_recommended(void **state)
{
    expect_hotels(*state, "/recommendations?require=rate&lat=37.9&lon=-122.2", "9 24 39 54 69");
}

static void the_cheapest_hotel_is_recommended(void **state)
{
    expect_hotels(*state, "/recommendations?require=price&lat=37.9&lon=-122.2", "2");
}

static void a_user_logs_in_with_the_right_password_only(void **state)
{
    expect_answer(*state, "/user?" LOGIN, 200, "{\"message\":\"Login successfully!\"}");
    expect_answer(*state, "/user?username=Cornell_7&password=7", 200,
        "{\"message\":\"Failed. Please check your username and password. \"}");
}

static void rooms_are_taken_until_there_are_none(void **state)
{
    const char *booking = "/reservation?" DATES "&hotelId=9&customerName=A&number=150&" LOGIN;
    expect_answer(*state, booking, 200, "{\"message\":\"Reserve successfully!\"}");
    expect_answer(*state, booking, 200, "{\"message\":\"Failed. Already reserved. \"}");
}

static void a_full_hotel_is_not_offered(void **state)
{
    expect_answer(*state, "/reservation?" DATES "&hotelId=21&customerName=A&number=200&" LOGIN, 200,
        "{\"message\":\"Reserve successfully!\"}");
    expect_hotels(*state, "/hotels?" DATES "&lat=37.9&lon=-122.2", "24");
}

static void a_wrong_password_reserves_nothing(void **state)
{
    expect_answer(*state,
        "/reservation?" DATES "&hotelId=12&customerName=A&number=200&username=Cornell_7&password=x",
        200, "{\"message\":\"Failed. Please check your username and password. \"}");
    expect_answer(*state, "/reservation?" DATES "&hotelId=12&customerName=A&number=200&" LOGIN, 200,
        "{\"message\":\"Reserve successfully!\"}");
}

static void a_missing_parameter_is_named(void **state)
{
    expect_answer(*state, "/hotels", 400, "Please specify inDate/outDate params\n");
    expect_answer(*state, "/hotels?" DATES, 400, "Please specify location params\n");
    expect_answer(*state, "/recommendations?lat=1&lon=1", 400, "Please specify require params\n");
    expect_answer(*state, "/user", 400, "Please specify username and password\n");
    expect_answer(*state, "/reservation?" DATES, 400, "Please specify hotelId params\n");
}

/* ---- telemetry ------------------------------------------------------------------------------ */

static json_t *span_named(const json_t *trace, const char *service, const char *operation)
{
    size_t i = 0;
    json_t *span = NULL;
    json_array_foreach(json_object_get(trace, "spans"), i, span)
    {
        json_t *process = json_object_get(json_object_get(trace, "processes"),
            json_string_value(json_object_get(span, "processID")));
        if (strcmp(json_string_value(json_object_get(process, "serviceName")), service) == 0
            && strcmp(json_string_value(json_object_get(span, "operationName")), operation) == 0)
            return span;
    }
    fail_msg("no span '%s' of %s", operation, service);
    return NULL;
}

/* Waits until the trace has come with that many spans. */
static json_t *wait_for_trace(app_stack_t *stack, const char *id, size_t span_count)
{
    AUTO_FREE char *path = xasprintf("/api/traces/%s", id);
    int64_t deadline = now_ms() + 10000;
    for (;;) {
        json_auto_t *answer = stack_json(stack, "jaeger", path, NULL);
        json_t *trace = json_array_get(json_object_get(answer, "data"), 0);
        if (json_array_size(json_object_get(trace, "spans")) >= span_count)
            return json_incref(trace);
        assert_true(now_ms() < deadline);
        poll(NULL, 0, 20);
    }
}

static void expect_parent(const json_t *trace, const char *service, const char *operation,
    const char *parent_service, const char *parent_operation)
{
    json_t *child = span_named(trace, service, operation);
    json_t *parent = span_named(trace, parent_service, parent_operation);
    json_t *reference = json_array_get(json_object_get(child, "references"), 0);
    assert_string_equal(json_string_value(json_object_get(reference, "spanID")),
        json_string_value(json_object_get(parent, "spanID")));
}

static void a_request_is_one_trace_with_every_parent_right(void **state)
{
    const char *id = "0af7651916cd43dd8448eb211c80319c";
    AUTO_FREE char *body = NULL;
    int status = stack_http(*state, "frontend", NULL, "/hotels?" DATES "&lat=37.9&lon=-122.2",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", &body);
    assert_int_equal(status, 200);

    json_auto_t *trace = wait_for_trace(*state, id, 14);

    json_t *root = span_named(trace, "frontend", "HTTP GET /hotels");
    json_t *reference = json_array_get(json_object_get(root, "references"), 0);
    assert_string_equal(
        json_string_value(json_object_get(reference, "spanID")), "b7ad6b7169203331");
    expect_parent(trace, "search", "/search.Search/Nearby", "frontend", "/search.Search/Nearby");
    expect_parent(trace, "geo", "/geo.Geo/Nearby", "search", "/geo.Geo/Nearby");
    expect_parent(trace, "rate", "memcached_get_multi_rate", "rate", "/rate.Rate/GetRates");
    expect_parent(trace, "reservation", "/reservation.Reservation/CheckAvailability", "frontend",
        "/reservation.Reservation/CheckAvailability");
    expect_parent(trace, "profile", "/profile.Profile/GetProfiles", "frontend",
        "/profile.Profile/GetProfiles");
}

static void jaeger_knows_every_service_and_who_calls_whom(void **state)
{
    AUTO_FREE char *body = NULL;
    stack_http(*state, "frontend", NULL, "/user?" LOGIN,
        "traceparent: 00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", &body);
    json_decref(wait_for_trace(*state, "1af7651916cd43dd8448eb211c80319c", 3));
    AUTO_FREE char *services = NULL;
    AUTO_FREE char *dependencies = NULL;
    AUTO_FREE char *found = NULL;
    stack_http(*state, "jaeger", NULL, "/api/services", NULL, &services);
    stack_http(*state, "jaeger", NULL, "/api/dependencies", NULL, &dependencies);
    stack_http(
        *state, "jaeger", NULL, "/api/traces?service=user&lookback=5m&limit=1", NULL, &found);
    expect_in(services, "[\"frontend\",\"geo\",\"profile\",\"rate\",\"recommendation\","
                        "\"reservation\",\"search\",\"user\"]");
    expect_in(dependencies, "{\"parent\":\"search\",\"child\":\"geo\",");
    expect_in(dependencies, "{\"parent\":\"frontend\",\"child\":\"user\",");
    expect_in(found, "\"operationName\":\"/user.User/CheckUser\"");
}

static void requests_and_their_durations_are_counted(void **state)
{
    const char *sample = "http_requests_total{route=\"/user\",code=\"200\"}";
    const char *called = "http_request_duration_seconds_count{route=\"/user.User/CheckUser\"}";
    double before = stack_metric(*state, "frontend", sample);
    double calls_before = stack_metric(*state, "user", called);
    expect_answer(*state, "/user?" LOGIN, 200, "{\"message\":\"Login successfully!\"}");
    assert_true(stack_metric(*state, "frontend", sample) == before + 1);
    assert_true(stack_metric(*state, "user", called) == calls_before + 1);
    assert_true(stack_metric(*state, "user", "\nprocess_resident_memory_bytes") > 1e6);
}

/* ---- failures ------------------------------------------------------------------------------- */

static void a_dead_cache_is_an_error_that_names_it(void **state)
{
    stack_end(*state, "memcached-rate", SIGKILL);
    AUTO_FREE char *body = NULL;
    int status =
        stack_http(*state, "frontend", NULL, "/hotels?" DATES "&lat=37.9&lon=-122.2", NULL, &body);
    assert_int_equal(status, 500);
    expect_in(body, stack_address(*state, "memcached-rate"));
    AUTO_FREE char *log = stack_log(*state, "rate");
    expect_in(log, " ERR ");
    expect_in(log, stack_address(*state, "memcached-rate"));
}

static void a_dead_database_is_an_error_for_what_is_not_cached(void **state)
{
    const char *later =
        "/reservation?inDate=2015-04-20&outDate=2015-04-21&hotelId=4&customerName=A&"
        "number=1&" LOGIN;
    stack_end(*state, "mongodb-reservation", SIGKILL);
    AUTO_FREE char *body = NULL;
    int status = stack_http(*state, "frontend", "POST", later, NULL, &body);
    assert_int_equal(status, 500);
    expect_in(body, stack_address(*state, "mongodb-reservation"));
}

static void a_database_that_is_read_at_the_start_may_die_later(void **state)
{
    stack_end(*state, "mongodb-recommendation", SIGKILL);
    expect_hotels(*state, "/recommendations?require=price&lat=37.9&lon=-122.2", "2");
}

static void a_dead_service_is_an_error_that_names_it(void **state)
{
    stack_end(*state, "user", SIGKILL);
    AUTO_FREE char *body = NULL;
    assert_int_equal(stack_http(*state, "frontend", NULL, "/user?" LOGIN, NULL, &body), 500);
    expect_in(body, stack_address(*state, "user"));
    expect_in(body, "connection refused");
}

static void a_service_that_comes_back_is_found_again(void **state)
{
    stack_start(*state, "user", "hotel-reservation", "user", "DB_WAIT_MS=15000");
    int64_t deadline = now_ms() + 15000;
    int status = 0;
    while (status != 200 && now_ms() < deadline) {
        AUTO_FREE char *body = NULL;
        status = stack_http(*state, "frontend", NULL, "/user?" LOGIN, NULL, &body);
        poll(NULL, 0, 10);
    }
    assert_int_equal(status, 200);
}

static void a_service_ends_cleanly_when_asked(void **state)
{
    int64_t start = now_ms();
    assert_int_equal(stack_end(*state, "search", SIGTERM), 0);
    assert_in_range(now_ms() - start, 0, 4000);
}

static void a_refused_password_ends_the_service_with_the_reason(void **state)
{
    stack_start(*state, "geo-2", "hotel-reservation", "geo", "DB_PASSWORD=wrong");
    assert_int_equal(stack_wait(*state, "geo-2"), 1);
    AUTO_FREE char *log = stack_log(*state, "geo-2");
    expect_in(log, " FTL ");
    expect_in(log, "authentication failed: user 'admin' at ");
    expect_in(log, "WRONGPASS");
}

static void a_missing_database_ends_the_service_with_the_reason(void **state)
{
    stack_start(*state, "geo-3", "hotel-reservation", "geo", "MONGODB_GEO_ADDRESS=127.0.0.1:1");
    assert_int_equal(stack_wait(*state, "geo-3"), 1);
    AUTO_FREE char *log = stack_log(*state, "geo-3");
    expect_in(log, "no reachable server at 127.0.0.1:1 for user 'admin' within 3000 ms: "
                   "dial tcp 127.0.0.1:1: connect: connection refused");
}

static void the_faulty_build_of_geo_looks_at_a_wrong_port(void **state)
{
    stack_start(*state, "geo-4", "geo-app3", "geo", "MONGODB_GEO_ADDRESS=");
    assert_int_equal(stack_wait(*state, "geo-4"), 1);
    AUTO_FREE char *log = stack_log(*state, "geo-4");
    expect_in(log, " FTL ");
    expect_in(log, "mongodb-geo:6777");
}

static int start(void **state)
{
    *state = stack_new();
    return 0;
}

static int end(void **state)
{
    stack_destroy((app_stack_t **)state);
    return 0;
}

static int run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hotels_with_a_rate_near_a_place_are_found_the_dearest_first),
        cmocka_unit_test(no_hotel_is_near_the_north_pole),
        cmocka_unit_test(the_nearest_hotel_is_recommended),
        cmocka_unit_test(the_best_rated_hotels_are_recommended),
        cmocka_unit_test(the_cheapest_hotel_is_recommended),
        cmocka_unit_test(a_user_logs_in_with_the_right_password_only),
        cmocka_unit_test(a_request_is_one_trace_with_every_parent_right),
        cmocka_unit_test(jaeger_knows_every_service_and_who_calls_whom),
        cmocka_unit_test(rooms_are_taken_until_there_are_none),
        cmocka_unit_test(a_full_hotel_is_not_offered),
        cmocka_unit_test(a_wrong_password_reserves_nothing),
        cmocka_unit_test(a_missing_parameter_is_named),
        cmocka_unit_test(requests_and_their_durations_are_counted),
        cmocka_unit_test(a_dead_cache_is_an_error_that_names_it),
        cmocka_unit_test(a_dead_database_is_an_error_for_what_is_not_cached),
        cmocka_unit_test(a_database_that_is_read_at_the_start_may_die_later),
        cmocka_unit_test(a_dead_service_is_an_error_that_names_it),
        cmocka_unit_test(a_service_that_comes_back_is_found_again),
        cmocka_unit_test(a_service_ends_cleanly_when_asked),
        cmocka_unit_test(a_refused_password_ends_the_service_with_the_reason),
        cmocka_unit_test(a_missing_database_ends_the_service_with_the_reason),
        cmocka_unit_test(the_faulty_build_of_geo_looks_at_a_wrong_port),
    };
    return cmocka_run_group_tests(tests, start, end);
}

int main(void)
{
    return in_namespaces(run);
}
