#include "base/auto.h"
#include "tests/support/bus_world.h"

#define TEST(rule) cmocka_unit_test_setup_teardown(rule, bus_world_set_up, bus_world_tear_down)

static void set_flag(void *arg)
{
    *(bool *)arg = true;
}

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

/* ---- who gets it --------------------------------------------------------------------------- */

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

static void a_request_reaches_the_instance_it_names(void **state)
{
    bus_world_t *world = *state;
    AUTO(worker_destroy) worker_t *a = worker_new(world, "echo", "a");
    AUTO(worker_destroy) worker_t *b = worker_new(world, "echo", "b");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcomes[3] = {0};
    a->is_quick = b->is_quick = true;
    for (size_t i = 0; i < 3; i++)
        ask_echo(client, "echo@b", "hello", 1000, &outcomes[i]);
    ev_sim_run_for(world->ev, 100);
    expect_echo(&outcomes[2], "hello by echo@b");
    assert_int_equal(b->count, 3);
}

static void instances_share_the_work(void **state)
{
    bus_world_t *world = *state;
    AUTO(worker_destroy) worker_t *a = worker_new(world, "echo", "a");
    AUTO(worker_destroy) worker_t *b = worker_new(world, "echo", "b");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcomes[8] = {0};
    for (size_t i = 0; i < 8; i++)
        ask_echo(client, "echo", "hello", 1000, &outcomes[i]);
    ev_sim_run_for(world->ev, 100);
    assert_int_equal(a->count, 4);
    assert_int_equal(b->count, 4);
}

static void the_one_with_less_to_do_gets_the_next(void **state)
{
    bus_world_t *world = *state;
    AUTO(worker_destroy) worker_t *slow = worker_new(world, "echo", "slow");
    AUTO(worker_destroy) worker_t *quick = worker_new(world, "echo", "quick");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcomes[10] = {0};
    quick->is_quick = true;
    for (size_t i = 0; i < 10; i++) {
        ask_echo(client, "echo", "hello", 10000, &outcomes[i]);
        ev_sim_run_for(world->ev, 100);
    }
    assert_int_equal(slow->count, 1);
    assert_int_equal(quick->count, 9);
}

static void a_type_the_service_does_not_know_is_refused(void **state)
{
    bus_world_t *world = *state;
    AUTO(worker_destroy) worker_t *worker = worker_new(world, "echo", "a");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    err_t err;
    bus_call_t call = {.target = "echo", .type = &ok_type, .message = &(ok_t){}};
    int rc = bus_call(client, &call, &ok_type, NULL, &err);
    assert_int_equal(rc, -ERR_INVALID);
    assert_string_equal(err.text, "'echo' does not serve 'ok'");
}

/* ---- deadlines ----------------------------------------------------------------------------- */

static void an_expired_request_is_answered_with_an_error(void **state)
{
    bus_world_t *world = *state;
    AUTO(worker_destroy) worker_t *worker = worker_new(world, "echo", "a");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcome = {0};
    ev_sim_run_for(world->ev, 100);
    ask_echo(client, "echo", "hello", 500, &outcome);
    ev_sim_run_for(world->ev, 498);
    assert_int_equal(outcome.count, 0);
    ev_sim_run_for(world->ev, 40);
    expect_failure(&outcome, ERR_TIMEOUT, "'echo' did not answer in time");
}

static void a_late_answer_goes_nowhere(void **state)
{
    bus_world_t *world = *state;
    AUTO(worker_destroy) worker_t *worker = worker_new(world, "echo", "a");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcome = {0};
    ask_echo(client, "echo", "hello", 500, &outcome);
    ev_sim_run_for(world->ev, 1000);
    worker_answer(worker, 0);
    ev_sim_run_for(world->ev, 1000);
    expect_failure(&outcome, ERR_TIMEOUT, "'echo' did not answer in time");
    AUTO_FREE char *text = metrics_text(broker_metrics(world->broker));
    assert_non_null(strstr(text, "aiopslab_broker_late_replies_total 1\n"));
}

static void a_worker_busy_with_an_expired_request_is_not_idle(void **state)
{
    bus_world_t *world = *state;
    AUTO(worker_destroy) worker_t *stuck = worker_new(world, "echo", "stuck");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcomes[5] = {0};
    ask_echo(client, "echo", "first", 500, &outcomes[0]);
    ev_sim_run_for(world->ev, 1000);
    AUTO(worker_destroy) worker_t *fresh = worker_new(world, "echo", "fresh");
    ev_sim_run_for(world->ev, 100);
    fresh->is_quick = true;
    for (size_t i = 1; i < 5; i++) {
        ask_echo(client, "echo", "later", 500, &outcomes[i]);
        ev_sim_run_for(world->ev, 100);
    }
    assert_int_equal(stuck->count, 1);
    assert_int_equal(fresh->count, 4);
}

/* Found by fuzzing: the service was forgotten while its expired request still pointed to it. */
static void a_service_given_up_may_still_answer_what_has_expired(void **state)
{
    bus_world_t *world = *state;
    AUTO(worker_destroy) worker_t *worker = worker_new(world, "echo", "a");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcome = {0};
    bool is_drained = false;
    ask_echo(client, "echo", "hello", 500, &outcome);
    ev_sim_run_for(world->ev, 1000);
    bus_drain(worker->bus, 5000, set_flag, &is_drained);
    ev_sim_run_for(world->ev, 100);
    worker_answer(worker, 0);
    ev_sim_run_for(world->ev, 100);
    assert_true(is_drained);
    assert_int_equal(outcome.code, ERR_TIMEOUT);
}

static void a_program_without_a_broker_gets_its_timeout_too(void **state)
{
    bus_world_t *world = *state;
    bus_world_stop_broker(world);
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcome = {0};
    ask_echo(client, "echo", "hello", 500, &outcome);
    ev_sim_run_for(world->ev, 1000);
    assert_int_equal(outcome.count, 1);
    assert_int_equal(outcome.code, ERR_TIMEOUT);
}

/* ---- absence ------------------------------------------------------------------------------- */

static void a_service_that_nobody_offers_is_unavailable_after_a_short_wait(void **state)
{
    bus_world_t *world = *state;
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcome = {0};
    ask_echo(client, "nobody", "hello", 60000, &outcome);
    ev_sim_run_for(world->ev, 1990);
    assert_int_equal(outcome.count, 0);
    ev_sim_run_for(world->ev, 100);
    expect_failure(&outcome, ERR_UNAVAILABLE, "no 'nobody' is connected");
}

static void a_service_that_comes_in_time_gets_what_waited(void **state)
{
    bus_world_t *world = *state;
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcome = {0};
    ask_echo(client, "echo", "hello", 60000, &outcome);
    ev_sim_run_for(world->ev, 1500);
    AUTO(worker_destroy) worker_t *worker = worker_new(world, "echo", "a");
    worker->is_quick = true;
    ev_sim_run_for(world->ev, 100);
    expect_echo(&outcome, "hello by echo@a");
}

static void an_instance_that_is_not_there_is_unavailable_though_others_are(void **state)
{
    bus_world_t *world = *state;
    AUTO(worker_destroy) worker_t *a = worker_new(world, "echo", "a");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcome = {0};
    ask_echo(client, "echo@b", "hello", 60000, &outcome);
    ev_sim_run_for(world->ev, 3000);
    expect_failure(&outcome, ERR_UNAVAILABLE, "no 'echo@b' is connected");
}

/* ---- deaths -------------------------------------------------------------------------------- */

static void a_request_whose_worker_dies_fails_with_the_reason(void **state)
{
    bus_world_t *world = *state;
    AUTO(zsock_destroy) zsock_t *worker = raw_new(world);
    raw_serve(world, worker, "echo", "mortal");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcome = {0};
    ask_echo(client, "echo", "hello", 60000, &outcome);
    ev_sim_run_for(world->ev, 4000);
    assert_int_equal(outcome.count, 0);
    ev_sim_run_for(world->ev, 2000);
    expect_failure(&outcome, ERR_UNAVAILABLE, "'echo@mortal' fell silent while working on it");
}

static void an_idempotent_request_is_done_by_another_when_its_worker_dies(void **state)
{
    bus_world_t *world = *state;
    AUTO(zsock_destroy) zsock_t *mortal = raw_new(world);
    raw_serve(world, mortal, "echo", "mortal");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcome = {0};
    ask_idempotent(client, "echo", "hello", 60000, &outcome);
    ev_sim_run_for(world->ev, 1000);
    AUTO(worker_destroy) worker_t *other = worker_new(world, "echo", "other");
    other->is_quick = true;
    ev_sim_run_for(world->ev, 6000);
    expect_echo(&outcome, "hello by echo@other");
}

static void a_worker_whose_connection_is_gone_does_not_swallow_a_request(void **state)
{
    bus_world_t *world = *state;
    zsock_t *mortal = raw_new(world);
    raw_serve(world, mortal, "echo", "mortal");
    zsock_destroy(&mortal);
    bus_world_settle();
    AUTO(worker_destroy) worker_t *other = worker_new(world, "echo", "other");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcomes[4] = {0};
    other->is_quick = true;
    for (size_t i = 0; i < 4; i++)
        ask_echo(client, "echo", "hello", 1000, &outcomes[i]);
    ev_sim_run_for(world->ev, 500);
    for (size_t i = 0; i < 4; i++)
        expect_echo(&outcomes[i], "hello by echo@other");
}

static void a_worker_that_says_bye_leaves_its_work_at_once(void **state)
{
    bus_world_t *world = *state;
    worker_t *worker = worker_new(world, "echo", "a");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcome = {0};
    ask_echo(client, "echo", "hello", 60000, &outcome);
    ev_sim_run_for(world->ev, 100);
    worker_destroy(&worker);
    ev_sim_run_for(world->ev, 100);
    expect_failure(&outcome, ERR_UNAVAILABLE, "'echo@a' left while working on it");
}

static void a_request_that_kills_its_workers_is_given_up(void **state)
{
    bus_world_t *world = *state;
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    outcome_t outcome = {0};
    ask_idempotent(client, "echo", "poison", 60000, &outcome);
    for (int i = 0; i < 3; i++) {
        worker_t *worker = worker_new(world, "echo", "a");
        ev_sim_run_for(world->ev, 100);
        worker_destroy(&worker);
        ev_sim_run_for(world->ev, 100);
    }
    expect_failure(&outcome, ERR_UNAVAILABLE, "'echo@a' left while working on it");
}

/* ---- duplicates ---------------------------------------------------------------------------- */

static void a_request_sent_twice_is_done_once(void **state)
{
    bus_world_t *world = *state;
    AUTO(worker_destroy) worker_t *worker = worker_new(world, "echo", "a");
    AUTO(zsock_destroy) zsock_t *client = raw_new(world);
    raw_ask(client, "echo", "same-id", &echo_type, &(echo_t){"hello"});
    raw_ask(client, "echo", "same-id", &echo_type, &(echo_t){"hello"});
    ev_sim_run_for(world->ev, 100);
    assert_int_equal(worker->count, 1);
    worker_answer(worker, 0);
    ev_sim_run_for(world->ev, 100);
    assert_string_equal(raw_type(raw_receive(client)), "broker.last");
    assert_string_equal(raw_type(raw_receive(client)), "nothing");
}

static void a_request_sent_again_after_its_answer_gets_the_same_answer(void **state)
{
    bus_world_t *world = *state;
    AUTO(worker_destroy) worker_t *worker = worker_new(world, "echo", "a");
    AUTO(zsock_destroy) zsock_t *client = raw_new(world);
    worker->is_quick = true;
    raw_ask(client, "echo", "same-id", &echo_type, &(echo_t){"hello"});
    ev_sim_run_for(world->ev, 100);
    raw_ask(client, "echo", "same-id", &echo_type, &(echo_t){"hello"});
    ev_sim_run_for(world->ev, 100);
    assert_int_equal(worker->count, 1);
    assert_string_equal(raw_type(raw_receive(client)), "broker.last");
    assert_string_equal(raw_type(raw_receive(client)), "broker.last");
}

static void the_same_id_of_another_caller_is_another_request(void **state)
{
    bus_world_t *world = *state;
    AUTO(worker_destroy) worker_t *worker = worker_new(world, "echo", "a");
    AUTO(zsock_destroy) zsock_t *one = raw_new(world);
    AUTO(zsock_destroy) zsock_t *other = raw_new(world);
    raw_ask(one, "echo", "same-id", &echo_type, &(echo_t){"hello"});
    raw_ask(other, "echo", "same-id", &echo_type, &(echo_t){"hello"});
    ev_sim_run_for(world->ev, 100);
    assert_int_equal(worker->count, 2);
}

static void answers_are_kept_for_a_minute(void **state)
{
    bus_world_t *world = *state;
    AUTO(worker_destroy) worker_t *worker = worker_new(world, "echo", "a");
    AUTO(zsock_destroy) zsock_t *client = raw_new(world);
    worker->is_quick = true;
    raw_ask(client, "echo", "same-id", &echo_type, &(echo_t){"hello"});
    ev_sim_run_for(world->ev, 61000);
    raw_ask(client, "echo", "same-id", &echo_type, &(echo_t){"hello"});
    ev_sim_run_for(world->ev, 100);
    assert_int_equal(worker->count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_reaches_the_service_by_name),
        TEST(a_request_reaches_the_instance_it_names),
        TEST(instances_share_the_work),
        TEST(the_one_with_less_to_do_gets_the_next),
        TEST(a_type_the_service_does_not_know_is_refused),
        TEST(an_expired_request_is_answered_with_an_error),
        TEST(a_late_answer_goes_nowhere),
        TEST(a_worker_busy_with_an_expired_request_is_not_idle),
        TEST(a_service_given_up_may_still_answer_what_has_expired),
        TEST(a_program_without_a_broker_gets_its_timeout_too),
        TEST(a_service_that_nobody_offers_is_unavailable_after_a_short_wait),
        TEST(a_service_that_comes_in_time_gets_what_waited),
        TEST(an_instance_that_is_not_there_is_unavailable_though_others_are),
        TEST(a_request_whose_worker_dies_fails_with_the_reason),
        TEST(an_idempotent_request_is_done_by_another_when_its_worker_dies),
        TEST(a_worker_whose_connection_is_gone_does_not_swallow_a_request),
        TEST(a_worker_that_says_bye_leaves_its_work_at_once),
        TEST(a_request_that_kills_its_workers_is_given_up),
        TEST(a_request_sent_twice_is_done_once),
        TEST(a_request_sent_again_after_its_answer_gets_the_same_answer),
        TEST(the_same_id_of_another_caller_is_another_request),
        TEST(answers_are_kept_for_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
