/* The socket for local agents: whoever comes in by it is an agent, and nothing more. */
#include "base/auto.h"
#include "base/mem.h"
#include "bus/keys.h"
#include "tests/support/bus_stack.h"

#include <sys/stat.h>

#define TEST(rule) cmocka_unit_test_setup_teardown(rule, bus_stack_set_up, bus_stack_tear_down)

typedef struct outcome {
    int count;
    err_code_t code;
} outcome_t;

static void on_reply(void *arg, const bus_reply_t *reply)
{
    outcome_t *outcome = arg;
    outcome->count++;
    outcome->code = reply->err ? reply->err->code : ERR_NONE;
}

static err_code_t ask(bus_stack_t *stack, bus_t *bus, const char *target, const codec_type_t *type,
    const void *message)
{
    outcome_t outcome = {0};
    bus_call_t call = {.target = target, .type = type, .message = message, .timeout_ms = 5000};
    bus_request(bus, &call, on_reply, &outcome);
    bus_stack_await(stack, &outcome.count, 1);
    return outcome.code;
}

/* After which the broker has done all that was asked of it before. */
static void settle(bus_stack_t *stack, bus_t *bus)
{
    assert_int_equal(ask(stack, bus, "broker", &broker_ping_type, &(broker_ping_t){}), ERR_NONE);
}

static bus_t *local_agent(bus_stack_t *stack, const keys_pair_t *pair)
{
    AUTO_FREE char *endpoint = xasprintf("ipc://%s/run/agents", stack->folder);
    bus_t *bus = bus_new(
        stack->ev, &(bus_config_t){.name = "agent", .endpoint = endpoint, .pair = pair}, NULL);
    assert_non_null(bus);
    return bus;
}

/* ---- a service that tells who called -------------------------------------------------------- */

typedef struct caller {
    bus_role_t role;
    char principal[KEY_NAME_LIMIT + 1];
} caller_t;

static void on_get(void *arg, bus_request_t *request, const void *message)
{
    (void)message;
    caller_t *caller = arg;
    caller->role = bus_request_role(request);
    snprintf(caller->principal, sizeof(caller->principal), "%s", bus_request_principal(request));
    bus_reply(&request, &ok_type, &(ok_t){});
}

static bus_t *orchestrator(bus_stack_t *stack, caller_t *caller)
{
    static const bus_handler_t handlers[] = {{&session_get_type, on_get},
        {&session_answer_type, on_get}, {&env_list_type, on_get}, {&fault_inject_type, on_get}};
    bus_t *bus = bus_stack_program(stack, "orchestrator");
    bus_serve(bus, "orchestrator", handlers, ARRAY_SIZE(handlers), caller);
    return bus;
}

static void count_event(void *arg, const bus_event_t *event)
{
    (void)event;
    ++*(volatile int *)arg;
}

static void count_foreign(void *arg, const bus_event_t *event)
{
    *(int *)arg += strncmp(event->topic, "session/2/", 10) == 0;
}

/* ---- who they are --------------------------------------------------------------------------- */

static void its_files_are_the_owners(void **state)
{
    bus_stack_t *stack = *state;
    static const char *const names[] = {"agents", "agent-events", "broker.secret", "broker.public"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        AUTO_FREE char *path = xasprintf("%s/run/%s", stack->folder, names[i]);
        struct stat status = {0};
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
    }
}

static void a_local_agent_is_an_agent_by_the_name_of_its_key(void **state)
{
    bus_stack_t *stack = *state;
    caller_t caller = {0};
    AUTO(bus_destroy) bus_t *service = orchestrator(stack, &caller);
    AUTO(bus_destroy) bus_t *agent = local_agent(stack, NULL);
    bus_grant(service, bus_principal(agent), NULL, "orchestrator");
    settle(stack, service);
    session_get_t get = {.session = "s"};
    assert_int_equal(ask(stack, agent, "orchestrator", &session_get_type, &get), ERR_NONE);
    assert_int_equal(caller.role, BUS_ROLE_AGENT);
    assert_string_equal(caller.principal, bus_principal(agent));
}

static void another_key_does_not_have_its_grants(void **state)
{
    bus_stack_t *stack = *state;
    caller_t caller = {0};
    AUTO(bus_destroy) bus_t *service = orchestrator(stack, &caller);
    AUTO(bus_destroy) bus_t *agent = local_agent(stack, NULL);
    AUTO(bus_destroy) bus_t *other = local_agent(stack, NULL);
    bus_grant(service, bus_principal(agent), "session/1/", "orchestrator");
    settle(stack, service);
    session_get_t get = {.session = "s"};
    assert_int_equal(ask(stack, other, "orchestrator", &session_get_type, &get), ERR_FORBIDDEN);
    assert_string_not_equal(bus_principal(agent), bus_principal(other));
}

static void the_services_key_makes_nobody_more_than_an_agent_there(void **state)
{
    bus_stack_t *stack = *state;
    keys_pair_t pair;
    assert_int_equal(keys_load(stack->keys, "service", &pair, NULL), 0);
    AUTO(bus_destroy) bus_t *agent = local_agent(stack, &pair);
    assert_int_equal(
        ask(stack, agent, "broker", &broker_status_type, &(broker_status_t){}), ERR_FORBIDDEN);
}

static void who_has_no_key_is_not_let_in(void **state)
{
    bus_stack_t *stack = *state;
    AUTO(zsock_destroy) zsock_t *sock = zsock_new(ZMQ_DEALER);
    int one = 1;
    zmq_setsockopt(zsock_resolve(sock), ZMQ_PROBE_ROUTER, &one, sizeof(one));
    zsock_set_rcvtimeo(sock, 1000);
    zsock_connect(sock, "ipc://%s/run/agents", stack->folder);
    AUTO(zmsg_destroy) zmsg_t *invitation = zmsg_recv(sock);
    assert_null(invitation);
}

static void it_stays_who_it_is_when_the_broker_is_killed(void **state)
{
    bus_stack_t *stack = *state;
    caller_t caller = {0};
    AUTO(bus_destroy) bus_t *service = orchestrator(stack, &caller);
    AUTO(bus_destroy) bus_t *agent = local_agent(stack, NULL);
    session_get_t get = {.session = "s"};
    bus_grant(service, bus_principal(agent), NULL, "orchestrator");
    settle(stack, service);
    assert_int_equal(ask(stack, agent, "orchestrator", &session_get_type, &get), ERR_NONE);
    bus_stack_kill_broker(stack);
    bus_stack_start_broker(stack, "tcp://127.0.0.1:0");
    for (int i = 0; ask(stack, agent, "orchestrator", &session_get_type, &get) != ERR_NONE; i++) {
        assert_true(i < 1000); /* until the service has told its grants again */
        bus_stack_run_for(stack, 10);
    }
}

/* ---- what they may not ---------------------------------------------------------------------- */

static void only_what_agents_may_send_is_taken_from_it(void **state)
{
    bus_stack_t *stack = *state;
    caller_t caller = {0};
    AUTO(bus_destroy) bus_t *service = orchestrator(stack, &caller);
    AUTO(bus_destroy) bus_t *agent = local_agent(stack, NULL);
    bus_grant(service, bus_principal(agent), "session/1/", "orchestrator");
    settle(stack, service);
    const struct {
        const codec_type_t *type;
        const void *message;
    } requests[] = {
        {&session_answer_type, &(session_answer_t){.session = "1"}},
        {&session_open_type, &(session_open_t){.problem = "p", .agent = "a"}},
        {&env_list_type, &(env_list_t){}},
        {&fault_check_type, &(fault_check_t){"f"}},
        {&fault_recover_type, &(fault_recover_t){"f"}},
    };
    for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
        assert_int_equal(ask(stack, agent, "orchestrator", requests[i].type, requests[i].message),
            ERR_FORBIDDEN);
    assert_int_equal(ask(stack, agent, "cluster", &session_get_type, &(session_get_t){"1"}),
        ERR_FORBIDDEN); /* not granted */
    assert_int_equal(caller.role, BUS_ROLE_NONE);
}

static void its_events_are_those_it_was_granted(void **state)
{
    bus_stack_t *stack = *state;
    AUTO(bus_destroy) bus_t *service = bus_stack_program(stack, "service");
    AUTO(bus_destroy) bus_t *agent = local_agent(stack, NULL);
    int own = 0;
    int other = 0;
    bus_grant(service, bus_principal(agent), "session/1/", NULL);
    bus_publish(service, "session/1/state", &ok_type, &(ok_t){});
    bus_publish(service, "session/2/state", &ok_type, &(ok_t){});
    settle(stack, service);
    bus_subscribe(agent, "session/2/", count_foreign, &other);
    bus_subscribe(agent, "", count_foreign, &other);
    bus_subscribe(agent, "session/1/", count_event, &own);
    bus_stack_await(stack, &own, 1); /* the last value */
    bus_publish(service, "session/2/state", &ok_type, &(ok_t){});
    bus_publish(service, "session/1/state", &ok_type, &(ok_t){});
    bus_stack_await(stack, &own, 2);
    assert_int_equal(other, 0);
    assert_true(bus_stack_metric(stack, "aiopslab_broker_subscriptions_refused_total") >= 2);
}

/* ---- grants that are taken back ------------------------------------------------------------- */

/* The subscriber's own socket would go on filtering for it, so another subscription of the same
 * socket shows what still comes. */
static void taken_back(bus_stack_t *stack, bus_t *agent, const char *principal)
{
    AUTO(bus_destroy) bus_t *service = bus_stack_program(stack, "service");
    volatile int env = 0; /* counted by events */
    volatile int own = 0;
    bus_grant(service, principal, "env/1/", NULL);
    bus_grant(service, principal, "session/1/", NULL);
    settle(stack, service);
    bus_subscribe(agent, "env/1/", count_event, (void *)&env);
    bus_subscribe(agent, "session/1/", count_event, (void *)&own);
    for (int i = 0; !env || !own; i++) { /* until both subscriptions hold */
        assert_true(i < 1000);
        bus_publish(service, "env/1/load", &ok_type, &(ok_t){});
        bus_publish(service, "session/1/step", &ok_type, &(ok_t){});
        bus_stack_run_for(stack, 10);
    }
    bus_revoke(service, principal, "env/1/", NULL);
    settle(stack, service);
    assert_true(bus_stack_metric(stack, "aiopslab_broker_subscribers_ended_total") == 1);
    bus_stack_run_for(stack, 50); /* what was on its way before */
    env = own = 0;
    for (int i = 0; own < 3; i++) { /* what is still granted comes again */
        assert_true(i < 1000);
        bus_publish(service, "env/1/load", &ok_type, &(ok_t){});
        bus_publish(service, "session/1/step", &ok_type, &(ok_t){});
        bus_stack_run_for(stack, 10);
    }
    assert_int_equal(env, 0);
}

static void a_local_agent_hears_no_more_of_what_was_taken_back(void **state)
{
    bus_stack_t *stack = *state;
    AUTO(bus_destroy) bus_t *agent = local_agent(stack, NULL);
    taken_back(stack, agent, bus_principal(agent));
}

static void nor_does_one_that_came_by_tcp(void **state)
{
    bus_stack_t *stack = *state;
    AUTO(bus_destroy) bus_t *agent = bus_stack_tcp_program(stack, "agent", "agent");
    taken_back(stack, agent, "agent");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(its_files_are_the_owners),
        TEST(a_local_agent_is_an_agent_by_the_name_of_its_key),
        TEST(another_key_does_not_have_its_grants),
        TEST(the_services_key_makes_nobody_more_than_an_agent_there),
        TEST(who_has_no_key_is_not_let_in),
        TEST(it_stays_who_it_is_when_the_broker_is_killed),
        TEST(only_what_agents_may_send_is_taken_from_it),
        TEST(its_events_are_those_it_was_granted),
        TEST(a_local_agent_hears_no_more_of_what_was_taken_back),
        TEST(nor_does_one_that_came_by_tcp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
