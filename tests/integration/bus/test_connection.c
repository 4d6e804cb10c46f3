/* Coming, going, and coming back: of programs and of the broker. */
#include "base/auto.h"
#include "tests/support/bus_world.h"

#define TEST(rule) cmocka_unit_test_setup_teardown(rule, bus_world_set_up, bus_world_tear_down)

static void set_flag(void *arg)
{
    *(bool *)arg = true;
}

static bool status_has(bus_world_t *world, const char *text)
{
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "status", NULL);
    bus_call_t call = {
        .target = "broker", .type = &broker_status_type, .message = &(broker_status_t){}};
    void *reply = NULL;
    assert_int_equal(bus_call(client, &call, &broker_report_type, &reply, NULL), 0);
    AUTO_FREE char *json = json_dumps(((broker_report_t *)reply)->report, JSON_COMPACT);
    codec_free(&broker_report_type, reply);
    return strstr(json, text);
}

static void a_program_that_pings_stays(void **state)
{
    bus_world_t *world = *state;
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    ev_sim_run_for(world->ev, 60000);
    assert_true(bus_is_connected(client));
    assert_true(status_has(world, "\"instance\":\"1\""));
}

static void a_silent_program_is_forgotten(void **state)
{
    bus_world_t *world = *state;
    AUTO(zsock_destroy) zsock_t *silent = raw_new(world);
    raw_serve(world, silent, "echo", "silent");
    ev_sim_run_for(world->ev, 4400);
    assert_true(status_has(world, "\"instance\":\"silent\""));
    ev_sim_run_for(world->ev, 1200);
    assert_false(status_has(world, "\"instance\":\"silent\""));
}

static void a_program_finds_a_broker_that_comes_later(void **state)
{
    bus_world_t *world = *state;
    bus_world_stop_broker(world);
    AUTO(worker_destroy) worker_t *worker = worker_new(world, "echo", "a");
    ev_sim_run_for(world->ev, 30000);
    assert_false(bus_is_connected(worker->bus));
    bus_world_restart_broker(world);
    ev_sim_run_for(world->ev, 10000);
    assert_true(bus_is_connected(worker->bus));
    assert_true(status_has(world, "\"name\":\"echo\""));
}

static void an_idempotent_request_survives_a_new_broker(void **state)
{
    bus_world_t *world = *state;
    AUTO(worker_destroy) worker_t *worker = worker_new(world, "echo", "a");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcome = {0};
    ask_idempotent(client, "echo", "hello", 60000, &outcome);
    ev_sim_run_for(world->ev, 100);
    bus_world_restart_broker(world);
    worker->is_quick = true;
    ev_sim_run_for(world->ev, 20000);
    assert_string_equal(outcome.echo, "hello by echo@a");
    assert_int_equal(bus_counts(client)->requests_resent, 1);
}

static void another_request_fails_at_a_new_broker_with_the_reason(void **state)
{
    bus_world_t *world = *state;
    AUTO(worker_destroy) worker_t *worker = worker_new(world, "echo", "a");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcome = {0};
    ask_echo(client, "echo", "hello", 60000, &outcome);
    ev_sim_run_for(world->ev, 100);
    bus_world_restart_broker(world);
    ev_sim_run_for(world->ev, 20000);
    assert_int_equal(outcome.count, 1);
    assert_int_equal(outcome.code, ERR_UNAVAILABLE);
    assert_int_equal(worker->count, 1);
}

static void an_answer_for_the_old_broker_goes_nowhere(void **state)
{
    bus_world_t *world = *state;
    AUTO(worker_destroy) worker_t *worker = worker_new(world, "echo", "a");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcome = {0};
    ask_idempotent(client, "echo", "hello", 60000, &outcome);
    ev_sim_run_for(world->ev, 100);
    bus_world_restart_broker(world);
    ev_sim_run_for(world->ev, 20000);
    worker_answer(worker, 0);
    ev_sim_run_for(world->ev, 100);
    assert_int_equal(outcome.count, 0);
    worker_answer(worker, 1);
    ev_sim_run_for(world->ev, 100);
    assert_int_equal(outcome.count, 1);
    assert_string_equal(outcome.text, "");
}

static void a_request_asked_without_a_broker_is_sent_when_there_is_one(void **state)
{
    bus_world_t *world = *state;
    bus_world_stop_broker(world);
    AUTO(worker_destroy) worker_t *worker = worker_new(world, "echo", "a");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcome = {0};
    worker->is_quick = true;
    ask_echo(client, "echo", "hello", 60000, &outcome);
    bus_world_restart_broker(world);
    ev_sim_run_for(world->ev, 20000);
    assert_string_equal(outcome.echo, "hello by echo@a");
}

static void a_drained_service_gets_nothing_new_and_answers_what_it_has(void **state)
{
    bus_world_t *world = *state;
    AUTO(worker_destroy) worker_t *leaving = worker_new(world, "echo", "leaving");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcomes[2] = {0};
    bool is_drained = false;
    ask_echo(client, "echo", "old", 60000, &outcomes[0]);
    ev_sim_run_for(world->ev, 100);
    AUTO(worker_destroy) worker_t *staying = worker_new(world, "echo", "staying");
    bus_drain(leaving->bus, 5000, set_flag, &is_drained);
    ev_sim_run_for(world->ev, 100);
    ask_echo(client, "echo", "new", 60000, &outcomes[1]);
    ev_sim_run_for(world->ev, 100);
    assert_false(is_drained);
    worker_answer(leaving, 0);
    ev_sim_run_for(world->ev, 100);
    assert_true(is_drained);
    assert_string_equal(outcomes[0].echo, "old by echo@leaving");
    assert_int_equal(staying->count, 1);
}

static void draining_ends_when_its_time_is_over(void **state)
{
    bus_world_t *world = *state;
    AUTO(worker_destroy) worker_t *worker = worker_new(world, "echo", "a");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcome = {0};
    bool is_drained = false;
    ask_echo(client, "echo", "hello", 60000, &outcome);
    ev_sim_run_for(world->ev, 100);
    bus_drain(worker->bus, 5000, set_flag, &is_drained);
    ev_sim_run_for(world->ev, 4900);
    assert_false(is_drained);
    ev_sim_run_for(world->ev, 200);
    assert_true(is_drained);
}

static void draining_without_a_broker_ends_at_once(void **state)
{
    bus_world_t *world = *state;
    bus_world_stop_broker(world);
    AUTO(bus_destroy) bus_t *bus = bus_world_program(world, "echo", "a");
    bool is_drained = false;
    bus_drain(bus, 5000, set_flag, &is_drained);
    ev_sim_run_for(world->ev, 10);
    assert_true(is_drained);
}

static void a_cancelled_request_calls_nobody(void **state)
{
    bus_world_t *world = *state;
    AUTO(worker_destroy) worker_t *worker = worker_new(world, "echo", "a");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcome = {0};
    int id = ask_echo(client, "echo", "hello", 500, &outcome);
    ev_sim_run_for(world->ev, 100);
    bus_cancel(client, id);
    worker_answer(worker, 0);
    ev_sim_run_for(world->ev, 2000);
    assert_int_equal(outcome.count, 0);
}

static void a_local_caller_is_vouched_for_as_local(void **state)
{
    bus_world_t *world = *state;
    AUTO(worker_destroy) worker_t *worker = worker_new(world, "echo", "a");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcome = {0};
    ask_echo(client, "echo", "hello", 1000, &outcome);
    ev_sim_run_for(world->ev, 100);
    assert_int_equal(bus_request_role(worker->held[0]), BUS_ROLE_LOCAL);
    assert_string_equal(bus_request_principal(worker->held[0]), "");
    assert_string_equal(bus_request_source(worker->held[0]), "client@1");
    assert_in_range(bus_request_time_left(worker->held[0]), 850, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_program_that_pings_stays),
        TEST(a_silent_program_is_forgotten),
        TEST(a_program_finds_a_broker_that_comes_later),
        TEST(an_idempotent_request_survives_a_new_broker),
        TEST(another_request_fails_at_a_new_broker_with_the_reason),
        TEST(an_answer_for_the_old_broker_goes_nowhere),
        TEST(a_request_asked_without_a_broker_is_sent_when_there_is_one),
        TEST(a_drained_service_gets_nothing_new_and_answers_what_it_has),
        TEST(draining_ends_when_its_time_is_over),
        TEST(draining_without_a_broker_ends_at_once),
        TEST(a_cancelled_request_calls_nobody),
        TEST(a_local_caller_is_vouched_for_as_local),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
