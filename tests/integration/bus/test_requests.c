#include "base/auto.h"
#include "tests/support/bus_world.h"

static void expect_failure(const outcome_t *outcome, err_code_t code, const char *text)
{
    assert_int_equal(outcome->count, 1);
    assert_string_equal(outcome->text, text);
    assert_int_equal(outcome->code, code);
}

static void expect_echo(const outcome_t *outcome, const char *echo)
{
    assert_int_equal(outcome->count, 1);
    assert_string_equal(outcome->text, "");
    assert_string_equal(outcome->echo, echo);
}

static void a_request_reaches_the_service_by_name(void **state)
{
    bus_world_t *world = *state;
    AUTO(worker_destroy) worker_t *worker = worker_new(world, "echo", "a");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcome = {0};
    worker->is_quick = true;
    ask_echo(client, "echo", "hello", 1000, &outcome);
    ev_sim_run_for(world->ev, 100);
    expect_echo(&outcome, "hello by echo@a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_request_reaches_the_service_by_name, bus_world_set_up, bus_world_tear_down),
    };
    (void)expect_failure;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
