/* What becomes of a session when the program that opened it is gone. */
#include "base/auto.h"
#include "tests/integration/orchestrator/cast.h"

#define TEST(rule) cmocka_unit_test_setup_teardown(rule, cast_set_up, cast_tear_down)

#define NOOP "noop_detection_hotel_reservation-1"
#define GONE "failed: the program that opened it, 'client@1', is gone"

static const char *open_active(cast_t *cast, bool is_tied)
{
    const char *session =
        cast_open(cast, &(session_open_t){.problem = NOOP, .agent = "test", .is_tied = is_tied});
    cast_run(cast, 5000);
    assert_string_equal(cast_state(cast, session), "active");
    return session;
}

static void leave(cast_t *cast)
{
    bus_destroy(&cast->client);
}

static void come(cast_t *cast, const char *instance)
{
    cast->client = bus_world_program(cast->world, "client", instance);
}

static void a_tied_session_ends_with_its_opener(void **state)
{
    cast_t *cast = *state;
    const char *session = open_active(cast, true);
    leave(cast);
    cast_run(cast, 1000);
    come(cast, "2");
    assert_string_equal(cast_state(cast, session), GONE);
    assert_int_equal(cast->deleted, 1);
}

static void it_does_not_wait_for_the_agents_turn(void **state)
{
    cast_t *cast = *state;
    cast->is_loadgen_mute = true;
    const char *session =
        cast_open(cast, &(session_open_t){.problem = NOOP, .agent = "test", .is_tied = true});
    leave(cast);
    cast_run(cast, 1500);
    come(cast, "2");
    assert_string_equal(cast_state(cast, session), GONE);
}

static void any_other_session_goes_on(void **state)
{
    cast_t *cast = *state;
    const char *session = open_active(cast, false);
    leave(cast);
    cast_run(cast, 60000);
    come(cast, "2");
    assert_string_equal(cast_state(cast, session), "active");
}

static void an_opener_that_is_back_at_once_keeps_it(void **state)
{
    cast_t *cast = *state;
    const char *session = open_active(cast, true);
    leave(cast);
    cast_run(cast, 100);
    come(cast, "1");
    cast_run(cast, 60000);
    assert_string_equal(cast_state(cast, session), "active");
}

static void and_loses_it_when_it_goes_again(void **state)
{
    cast_t *cast = *state;
    const char *session = open_active(cast, true);
    leave(cast);
    cast_run(cast, 100);
    come(cast, "1");
    cast_run(cast, 20000);
    leave(cast);
    cast_run(cast, 1000);
    come(cast, "2");
    assert_string_equal(cast_state(cast, session), GONE);
}

static void a_new_broker_is_given_time_to_know_it(void **state)
{
    cast_t *cast = *state;
    const char *session = open_active(cast, true);
    bus_world_restart_broker(cast->world);
    cast_run(cast, 60000);
    assert_string_equal(cast_state(cast, session), "active");
}

static void who_does_not_come_to_a_new_broker_is_gone(void **state)
{
    cast_t *cast = *state;
    const char *session = open_active(cast, true);
    bus_world_stop_broker(cast->world);
    leave(cast);
    bus_world_restart_broker(cast->world);
    cast_run(cast, 40000);
    come(cast, "2");
    assert_string_equal(cast_state(cast, session), GONE);
}

static void a_restarted_orchestrator_still_knows_the_opener(void **state)
{
    cast_t *cast = *state;
    const char *session = open_active(cast, true);
    cast_restart_orchestrator(cast);
    cast_run(cast, 30000);
    assert_string_equal(cast_state(cast, session), "active");
    leave(cast);
    cast_run(cast, 1000);
    come(cast, "2");
    assert_string_equal(cast_state(cast, session), GONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_tied_session_ends_with_its_opener),
        TEST(it_does_not_wait_for_the_agents_turn),
        TEST(any_other_session_goes_on),
        TEST(an_opener_that_is_back_at_once_keeps_it),
        TEST(and_loses_it_when_it_goes_again),
        TEST(a_new_broker_is_given_time_to_know_it),
        TEST(who_does_not_come_to_a_new_broker_is_gone),
        TEST(a_restarted_orchestrator_still_knows_the_opener),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
