/* kill -9 of workers and of the broker, while requests are under way. */
#include "base/auto.h"
#include "base/mem.h"
#include "tests/support/bus_stack.h"

#include <signal.h>
#include <unistd.h>

#define TEST(rule) cmocka_unit_test_setup_teardown(rule, bus_stack_set_up, bus_stack_tear_down)

/* ---- the worker: this program as another process -------------------------------------------- */

/* The prefix asked for says what to do: answer, or hold the request for ever. */
static void on_last(void *arg, bus_request_t *request, const void *message)
{
    bus_t *bus = arg;
    const char *what = ((const broker_last_t *)message)->prefix;
    bus_publish(bus, "test/got", &broker_last_type, &(broker_last_t){what});
    if (strcmp(what, "hold") != 0)
        bus_reply(&request, &broker_last_type, &(broker_last_t){bus_source(bus)});
}

/* Not idempotent. */
static void on_act(void *arg, bus_request_t *request, const void *message)
{
    (void)request, (void)message;
    bus_publish(arg, "test/got", &broker_last_type, &(broker_last_t){"act"});
}

static int run_worker(const char *instance, const char *endpoint)
{
    static const bus_handler_t handlers[] = {
        {&broker_last_type, on_last}, {&env_exec_type, on_act}};
    AUTO(ev_destroy) ev_t *ev = ev_new();
    AUTO(bus_destroy)
    bus_t *bus = bus_new(
        ev, &(bus_config_t){.name = "worker", .instance = instance, .endpoint = endpoint}, NULL);
    bus_serve(bus, "worker", handlers, ARRAY_SIZE(handlers), bus);
    ev_run(ev);
    return 0;
}

/* ---- the test's side ------------------------------------------------------------------------ */

typedef struct outcome {
    int count;
    err_code_t code;
    char text[256];
    int64_t at;
    ev_t *ev;
} outcome_t;

static void on_reply(void *arg, const bus_reply_t *reply)
{
    outcome_t *outcome = arg;
    outcome->count++;
    outcome->at = ev_now(outcome->ev);
    outcome->code = reply->err ? reply->err->code : ERR_NONE;
    snprintf(outcome->text, sizeof(outcome->text), "%s",
        reply->err ? reply->err->text : ((const broker_last_t *)reply->message)->prefix);
}

static void count_event(void *arg, const bus_event_t *event)
{
    (void)event;
    ++*(int *)arg;
}

static void ask(bus_t *bus, const char *target, const char *what, outcome_t *outcome)
{
    bus_request(bus,
        &(bus_call_t){.target = target,
            .type = &broker_last_type,
            .message = &(broker_last_t){what},
            .timeout_ms = 20000},
        on_reply, outcome);
}

static void ask_once(bus_t *bus, outcome_t *outcome)
{
    bus_request(bus,
        &(bus_call_t){.target = "worker",
            .type = &env_exec_type,
            .message = &(env_exec_t){.env = "e", .command = "c"},
            .timeout_ms = 20000},
        on_reply, outcome);
}

/* Waits until a worker answers, so that it is known to be registered. */
static void await_worker(bus_stack_t *stack, bus_t *bus, const char *target)
{
    outcome_t ready = {.ev = stack->ev};
    ask(bus, target, "answer", &ready);
    bus_stack_await(stack, &ready.count, 1);
    assert_int_equal(ready.code, ERR_NONE);
}

static void a_request_whose_worker_is_killed_fails_at_once(void **state)
{
    bus_stack_t *stack = *state;
    pid_t worker = bus_stack_spawn("worker", "a", stack->requests);
    AUTO(bus_destroy) bus_t *bus = bus_stack_program(stack, "client");
    int got = 0;
    outcome_t outcome = {.ev = stack->ev};
    bus_subscribe(bus, "test/got", count_event, &got);
    await_worker(stack, bus, "worker");
    int seen = got;
    ask_once(bus, &outcome);
    bus_stack_await(stack, &got, seen + 1);
    int64_t killed_at = ev_now(stack->ev);
    bus_stack_end(worker, SIGKILL);
    bus_stack_await(stack, &outcome.count, 1);
    assert_string_equal(outcome.text, "'worker@a' went away while working on it");
    assert_int_equal(outcome.code, ERR_UNAVAILABLE);
    assert_true(outcome.at - killed_at < 2500); /* half of what silence would have taken */
}

static void an_idempotent_request_moves_to_another_worker(void **state)
{
    bus_stack_t *stack = *state;
    pid_t first = bus_stack_spawn("worker", "a", stack->requests);
    AUTO(bus_destroy) bus_t *bus = bus_stack_program(stack, "client");
    int got = 0;
    outcome_t outcome = {.ev = stack->ev};
    bus_subscribe(bus, "test/got", count_event, &got);
    await_worker(stack, bus, "worker");
    int seen = got;
    ask(bus, "worker", "hold", &outcome);
    bus_stack_await(stack, &got, seen + 1);
    bus_stack_spawn("worker", "b", stack->requests);
    await_worker(stack, bus, "worker@b");
    seen = got;
    bus_stack_end(first, SIGKILL);
    bus_stack_await(stack, &got, seen + 1); /* "hold" has come to the second */
    assert_int_equal(outcome.count, 0);
}

static void requests_survive_the_death_of_the_broker_or_say_why_not(void **state)
{
    bus_stack_t *stack = *state;
    bus_stack_spawn("worker", "a", stack->requests);
    AUTO(bus_destroy) bus_t *bus = bus_stack_program(stack, "client");
    outcome_t unsafe = {.ev = stack->ev};
    outcome_t safe = {.ev = stack->ev};
    await_worker(stack, bus, "worker");
    ask_once(bus, &unsafe);
    bus_stack_run_for(stack, 50);
    bus_stack_kill_broker(stack);
    ask(bus, "worker", "answer", &safe);
    bus_stack_run_for(stack, 300);
    bus_stack_start_broker(stack, "tcp://127.0.0.1:0");
    bus_stack_await(stack, &safe.count, 1);
    assert_string_equal(safe.text, "worker@a");
    bus_stack_await(stack, &unsafe.count, 1);
    assert_int_equal(unsafe.code, ERR_UNAVAILABLE);
}

static void events_flow_again_after_the_death_of_the_broker(void **state)
{
    bus_stack_t *stack = *state;
    AUTO(bus_destroy) bus_t *publisher = bus_stack_program(stack, "publisher");
    AUTO(bus_destroy) bus_t *subscriber = bus_stack_program(stack, "subscriber");
    int got = 0;
    bus_subscribe(subscriber, "env/", count_event, &got);
    bus_publish(publisher, "env/1/state", &ok_type, &(ok_t){});
    bus_stack_await(stack, &got, 1);
    bus_stack_kill_broker(stack);
    bus_stack_start_broker(stack, "tcp://127.0.0.1:0");
    bus_stack_await(stack, &got, 2); /* the state is told again */
    bus_publish(publisher, "env/1/load", &ok_type, &(ok_t){});
    bus_stack_await(stack, &got, 3);
}

/* Both ends of a connection and of the one after it come to its notice together. */
static void a_busy_publisher_tells_its_states_again_too(void **state)
{
    bus_stack_t *stack = *state;
    AUTO(bus_destroy) bus_t *publisher = bus_stack_program(stack, "publisher");
    AUTO(bus_destroy) bus_t *subscriber = bus_stack_program(stack, "subscriber");
    int got = 0;
    bus_subscribe(subscriber, "env/", count_event, &got);
    bus_publish(publisher, "env/1/state", &ok_type, &(ok_t){});
    bus_stack_await(stack, &got, 1);
    bus_stack_kill_broker(stack);
    bus_stack_start_broker(stack, "tcp://127.0.0.1:0");
    usleep(1500000); /* ZeroMQ's own thread connects meanwhile, and tells nobody when */
    bus_stack_await(stack, &got, 2);
}

static void a_worker_that_is_stopped_is_found_out_by_its_silence(void **state)
{
    bus_stack_t *stack = *state;
    pid_t worker = bus_stack_spawn("worker", "a", stack->requests);
    AUTO(bus_destroy) bus_t *bus = bus_stack_program(stack, "client");
    outcome_t outcome = {.ev = stack->ev};
    await_worker(stack, bus, "worker");
    kill(worker, SIGSTOP);
    ask_once(bus, &outcome);
    bus_stack_await(stack, &outcome.count, 1);
    assert_string_equal(outcome.text, "'worker@a' fell silent while working on it");
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "worker") == 0)
        return run_worker(argv[2], argv[3]);
    const struct CMUnitTest tests[] = {
        TEST(a_request_whose_worker_is_killed_fails_at_once),
        TEST(an_idempotent_request_moves_to_another_worker),
        TEST(requests_survive_the_death_of_the_broker_or_say_why_not),
        TEST(events_flow_again_after_the_death_of_the_broker),
        TEST(a_busy_publisher_tells_its_states_again_too),
        TEST(a_worker_that_is_stopped_is_found_out_by_its_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
