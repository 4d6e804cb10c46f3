#include "base/auto.h"
#include "broker/flights.h"
#include "tests/support/test.h"

#include <string.h>

static const flights_config_t config = {.cache_count = 2, .cache_bytes = 100, .cache_ms = 1000};

static void end_with(flights_t *flights, flight_t *flight, size_t size, int64_t now)
{
    zmq_msg_t reply;
    zmq_msg_init_size(&reply, size);
    memset(zmq_msg_data(&reply), 'r', size);
    flights_end(flights, flight, &reply, now);
    zmq_msg_close(&reply);
}

static void a_flight_is_found_by_its_caller_and_id(void **state)
{
    (void)state;
    AUTO(flights_destroy) flights_t *flights = flights_new(&config, 1);
    flight_t *flight = flights_add(flights, 7, "one", 3);
    assert_ptr_equal(flights_find(flights, 7, "one", 3), flight);
    assert_null(flights_find(flights, 8, "one", 3));
    assert_null(flights_find(flights, 7, "on", 2));
}

static void a_token_names_one_use_of_a_place(void **state)
{
    (void)state;
    AUTO(flights_destroy) flights_t *flights = flights_new(&config, 1);
    flight_t *flight = flights_add(flights, 7, "one", 3);
    uint64_t token = flight_token(flight);
    assert_ptr_equal(flights_by_token(flights, token), flight);
    flights_end(flights, flight, NULL, 0);
    assert_null(flights_by_token(flights, token));
    assert_ptr_equal(flights_add(flights, 7, "two", 3), flight);
    assert_null(flights_by_token(flights, token));
    assert_null(flights_by_token(flights, UINT64_MAX));
}

static void an_answer_is_kept_for_duplicates(void **state)
{
    (void)state;
    AUTO(flights_destroy) flights_t *flights = flights_new(&config, 1);
    end_with(flights, flights_add(flights, 7, "one", 3), 10, 0);
    flight_t *kept = flights_find(flights, 7, "one", 3);
    assert_int_equal(kept->state, FLIGHT_ANSWERED);
    assert_int_equal(kept->reply_size, 10);
    assert_memory_equal(kept->reply, "rrrrrrrrrr", 10);
}

static void the_oldest_answers_go_when_there_are_too_many(void **state)
{
    (void)state;
    AUTO(flights_destroy) flights_t *flights = flights_new(&config, 1);
    end_with(flights, flights_add(flights, 7, "one", 3), 10, 0);
    end_with(flights, flights_add(flights, 7, "two", 3), 10, 0);
    end_with(flights, flights_add(flights, 7, "six", 3), 10, 0);
    assert_null(flights_find(flights, 7, "one", 3));
    assert_non_null(flights_find(flights, 7, "two", 3));
    assert_int_equal(flights_cached(flights), 2);
}

static void the_oldest_answers_go_when_they_are_too_large(void **state)
{
    (void)state;
    AUTO(flights_destroy) flights_t *flights = flights_new(&config, 1);
    end_with(flights, flights_add(flights, 7, "one", 3), 60, 0);
    end_with(flights, flights_add(flights, 7, "two", 3), 60, 0);
    assert_null(flights_find(flights, 7, "one", 3));
    end_with(flights, flights_add(flights, 7, "big", 3), 101, 0);
    assert_null(flights_find(flights, 7, "big", 3));
    assert_non_null(flights_find(flights, 7, "two", 3));
}

static void answers_grow_old(void **state)
{
    (void)state;
    AUTO(flights_destroy) flights_t *flights = flights_new(&config, 1);
    end_with(flights, flights_add(flights, 7, "one", 3), 10, 500);
    flights_trim(flights, 1499);
    assert_non_null(flights_find(flights, 7, "one", 3));
    flights_trim(flights, 1500);
    assert_null(flights_find(flights, 7, "one", 3));
}

static void timers_ring_when_they_are_due_and_not_before(void **state)
{
    (void)state;
    AUTO(flights_destroy) flights_t *flights = flights_new(&config, 1);
    flight_t *soon = flights_add(flights, 7, "soon", 4);
    flight_t *later = flights_add(flights, 7, "later", 5);
    flights_set_timer(flights, later, 5000);
    flights_set_timer(flights, soon, 1000);
    assert_null(flights_next_due(flights, 999));
    assert_ptr_equal(flights_next_due(flights, 1000), soon);
    assert_null(flights_next_due(flights, 4999));
    assert_ptr_equal(flights_next_due(flights, 9000), later);
    assert_false(flights_has_timers(flights));
}

static void a_timer_beyond_the_wheel_rings_in_its_round(void **state)
{
    (void)state;
    AUTO(flights_destroy) flights_t *flights = flights_new(&config, 1);
    flight_t *flight = flights_add(flights, 7, "one", 3);
    int64_t due = 1000 + 4096 * FLIGHTS_TICK_MS * 2;
    flights_set_timer(flights, flight, due);
    assert_null(flights_next_due(flights, 1000));
    assert_null(flights_next_due(flights, due - 1));
    assert_ptr_equal(flights_next_due(flights, due), flight);
}

static void a_timer_can_be_moved_and_ended(void **state)
{
    (void)state;
    AUTO(flights_destroy) flights_t *flights = flights_new(&config, 1);
    flight_t *flight = flights_add(flights, 7, "one", 3);
    flights_set_timer(flights, flight, 1000);
    flights_set_timer(flights, flight, 500);
    assert_ptr_equal(flights_next_due(flights, 600), flight);
    flights_set_timer(flights, flight, 700);
    flights_end(flights, flight, NULL, 0);
    assert_null(flights_next_due(flights, 10000));
    assert_int_equal(flights_live(flights), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flight_is_found_by_its_caller_and_id),
        cmocka_unit_test(a_token_names_one_use_of_a_place),
        cmocka_unit_test(an_answer_is_kept_for_duplicates),
        cmocka_unit_test(the_oldest_answers_go_when_there_are_too_many),
        cmocka_unit_test(the_oldest_answers_go_when_they_are_too_large),
        cmocka_unit_test(answers_grow_old),
        cmocka_unit_test(timers_ring_when_they_are_due_and_not_before),
        cmocka_unit_test(a_timer_beyond_the_wheel_rings_in_its_round),
        cmocka_unit_test(a_timer_can_be_moved_and_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
