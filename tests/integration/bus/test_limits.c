/* Bounded queues: what does not fit is refused with a reason, never dropped silently. */
#include "base/auto.h"
#include "base/mem.h"
#include "tests/support/bus_world.h"

#define TEST(rule) cmocka_unit_test_setup_teardown(rule, bus_world_set_up, bus_world_tear_down)

static void expect_overloaded(const outcome_t *outcome)
{
    assert_int_equal(outcome->count, 1);
    assert_int_equal(outcome->code, ERR_OVERLOADED);
    assert_true(outcome->retry_after_ms >= 50);
}

static void too_many_requests_for_a_service_are_overloaded(void **state)
{
    bus_world_t *world = *state;
    world->config.service_count_limit = 2;
    bus_world_restart_broker(world);
    AUTO(worker_destroy) worker_t *worker = worker_new(world, "echo", "a");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcomes[3] = {0};
    for (size_t i = 0; i < 3; i++)
        ask_echo(client, "echo", "hello", 60000, &outcomes[i]);
    ev_sim_run_for(world->ev, 100);
    assert_int_equal(worker->count, 2);
    expect_overloaded(&outcomes[2]);
    assert_string_equal(outcomes[2].text, "'echo' has 2 requests under way already");
}

static void there_is_room_again_after_an_answer(void **state)
{
    bus_world_t *world = *state;
    world->config.service_count_limit = 1;
    bus_world_restart_broker(world);
    AUTO(worker_destroy) worker_t *worker = worker_new(world, "echo", "a");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcomes[2] = {0};
    ask_echo(client, "echo", "one", 60000, &outcomes[0]);
    ev_sim_run_for(world->ev, 100);
    worker_answer(worker, 0);
    ev_sim_run_for(world->ev, 100);
    ask_echo(client, "echo", "two", 60000, &outcomes[1]);
    ev_sim_run_for(world->ev, 100);
    assert_int_equal(outcomes[1].count, 0);
    assert_int_equal(worker->count, 2);
}

static void too_many_bytes_for_a_service_are_overloaded(void **state)
{
    bus_world_t *world = *state;
    world->config.service_bytes_limit = 1500;
    bus_world_restart_broker(world);
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    char text[1001];
    memset(text, 'x', 1000);
    text[1000] = '\0';
    outcome_t outcomes[2] = {0};
    ask_echo(client, "absent", text, 60000, &outcomes[0]);
    ask_echo(client, "absent", text, 60000, &outcomes[1]);
    ev_sim_run_for(world->ev, 100);
    assert_int_equal(outcomes[0].count, 0);
    expect_overloaded(&outcomes[1]);
}

static void too_many_requests_of_one_caller_are_overloaded(void **state)
{
    bus_world_t *world = *state;
    world->config.caller_limit = 2;
    bus_world_restart_broker(world);
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    AUTO(bus_destroy) bus_t *other = bus_world_program(world, "client", "2");
    outcome_t outcomes[4] = {0};
    for (size_t i = 0; i < 3; i++)
        ask_echo(client, "absent", "hello", 60000, &outcomes[i]);
    ask_echo(other, "absent", "hello", 60000, &outcomes[3]);
    ev_sim_run_for(world->ev, 100);
    expect_overloaded(&outcomes[2]);
    assert_int_equal(outcomes[3].count, 0);
}

static void what_a_worker_cannot_take_yet_waits_in_line(void **state)
{
    bus_world_t *world = *state;
    world->config.worker_limit = 1;
    bus_world_restart_broker(world);
    AUTO(worker_destroy) worker_t *worker = worker_new(world, "echo", "a");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcomes[3] = {0};
    for (size_t i = 0; i < 3; i++)
        ask_echo(client, "echo", i == 0 ? "0" : i == 1 ? "1" : "2", 60000, &outcomes[i]);
    ev_sim_run_for(world->ev, 10000);
    assert_int_equal(worker->count, 1);
    worker_answer(worker, 0);
    ev_sim_run_for(world->ev, 100);
    worker_answer(worker, 1);
    ev_sim_run_for(world->ev, 100);
    assert_int_equal(worker->count, 3);
    assert_string_equal(worker->texts[1], "1");
    assert_string_equal(worker->texts[2], "2");
}

static void a_request_that_waits_in_line_has_a_deadline_too(void **state)
{
    bus_world_t *world = *state;
    world->config.worker_limit = 1;
    bus_world_restart_broker(world);
    AUTO(worker_destroy) worker_t *worker = worker_new(world, "echo", "a");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcomes[2] = {0};
    ask_echo(client, "echo", "one", 60000, &outcomes[0]);
    ask_echo(client, "echo", "two", 3000, &outcomes[1]);
    ev_sim_run_for(world->ev, 3100);
    assert_int_equal(outcomes[1].code, ERR_TIMEOUT);
    assert_string_equal(outcomes[1].text, "'echo' was not free in time");
}

static void a_request_that_is_too_large_is_refused(void **state)
{
    bus_world_t *world = *state;
    world->config.request_limit = 1000;
    bus_world_restart_broker(world);
    AUTO(worker_destroy) worker_t *worker = worker_new(world, "echo", "a");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    char text[1001];
    memset(text, 'x', 1000);
    text[1000] = '\0';
    outcome_t outcome = {0};
    ask_echo(client, "echo", text, 60000, &outcome);
    ev_sim_run_for(world->ev, 100);
    assert_int_equal(outcome.code, ERR_LIMIT);
    assert_int_equal(worker->count, 0);
}

static void an_answer_that_is_too_large_becomes_an_error(void **state)
{
    bus_world_t *world = *state;
    world->config.request_limit = 230;
    bus_world_restart_broker(world);
    AUTO(worker_destroy) worker_t *worker = worker_new(world, "echo", "a");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcome = {0};
    ask_echo(client, "echo", "short", 60000, &outcome);
    ev_sim_run_for(world->ev, 100);
    AUTO_FREE char *text = xasprintf("%0300d", 0);
    bus_reply(&worker->held[0], &broker_last_type, &(broker_last_t){text});
    ev_sim_run_for(world->ev, 100);
    assert_int_equal(outcome.code, ERR_LIMIT);
}

static void a_service_can_refuse_for_now(void **state)
{
    bus_world_t *world = *state;
    AUTO(worker_destroy) worker_t *worker = worker_new(world, "echo", "a");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcome = {0};
    ask_echo(client, "echo", "hello", 60000, &outcome);
    ev_sim_run_for(world->ev, 100);
    bus_refuse(&worker->held[0], 250, "no environment is free");
    ev_sim_run_for(world->ev, 100);
    expect_overloaded(&outcome);
    assert_int_equal(outcome.retry_after_ms, 250);
    assert_string_equal(outcome.text, "no environment is free");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(too_many_requests_for_a_service_are_overloaded),
        TEST(there_is_room_again_after_an_answer),
        TEST(too_many_bytes_for_a_service_are_overloaded),
        TEST(too_many_requests_of_one_caller_are_overloaded),
        TEST(what_a_worker_cannot_take_yet_waits_in_line),
        TEST(a_request_that_waits_in_line_has_a_deadline_too),
        TEST(a_request_that_is_too_large_is_refused),
        TEST(an_answer_that_is_too_large_becomes_an_error),
        TEST(a_service_can_refuse_for_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
