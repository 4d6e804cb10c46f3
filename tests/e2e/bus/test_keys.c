/* CURVE on TCP: whose key may connect, and what its role may do. */
#include "base/auto.h"
#include "base/mem.h"
#include "bus/keys.h"
#include "proto/envelope.h"
#include "tests/support/bus_stack.h"

#include <sys/stat.h>
#include <unistd.h>

#define TEST(rule) cmocka_unit_test_setup_teardown(rule, bus_stack_set_up, bus_stack_tear_down)

typedef struct outcome {
    int count;
    err_code_t code;
    char text[256];
} outcome_t;

static void on_reply(void *arg, const bus_reply_t *reply)
{
    outcome_t *outcome = arg;
    outcome->count++;
    outcome->code = reply->err ? reply->err->code : ERR_NONE;
    snprintf(outcome->text, sizeof(outcome->text), "%s", reply->err ? reply->err->text : "");
}

static outcome_t ask(bus_stack_t *stack, bus_t *bus, const bus_call_t *call)
{
    outcome_t outcome = {0};
    bus_request(bus, call, on_reply, &outcome);
    bus_stack_await(stack, &outcome.count, 1);
    return outcome;
}

static outcome_t ask_status(bus_stack_t *stack, bus_t *bus)
{
    bus_call_t call = {.target = "broker",
        .type = &broker_status_type,
        .message = &(broker_status_t){},
        .timeout_ms = 1500};
    return ask(stack, bus, &call);
}

static outcome_t ask_session(bus_stack_t *stack, bus_t *bus)
{
    bus_call_t call = {.target = "orchestrator",
        .type = &session_close_type,
        .message = &(session_close_t){.session = "s"},
        .timeout_ms = 3000};
    return ask(stack, bus, &call);
}

/* ---- a service that tells what the broker says of its callers ------------------------------- */

typedef struct caller {
    bus_role_t role;
    char principal[65];
} caller_t;

static void on_close(void *arg, bus_request_t *request, const void *message)
{
    (void)message;
    caller_t *caller = arg;
    caller->role = bus_request_role(request);
    snprintf(caller->principal, sizeof(caller->principal), "%s", bus_request_principal(request));
    bus_reply(&request, &ok_type, &(ok_t){});
}

static bus_t *orchestrator(bus_stack_t *stack, caller_t *caller)
{
    static const bus_handler_t handlers[] = {
        {&session_close_type, on_close}, {&env_list_type, on_close}};
    bus_t *bus = bus_stack_tcp_program(stack, "orchestrator", "service");
    bus_serve(bus, "orchestrator", handlers, ARRAY_SIZE(handlers), caller);
    return bus;
}

static void count_event(void *arg, const bus_event_t *event)
{
    (void)event;
    ++*(int *)arg;
}

/* ---- keys ----------------------------------------------------------------------------------- */

static void an_operator_may_ask_how_the_broker_is(void **state)
{
    bus_stack_t *stack = *state;
    AUTO(bus_destroy) bus_t *bus = bus_stack_tcp_program(stack, "cli", "operator");
    outcome_t outcome = ask_status(stack, bus);
    assert_int_equal(outcome.code, ERR_NONE);
}

static void an_agent_may_not(void **state)
{
    bus_stack_t *stack = *state;
    AUTO(bus_destroy) bus_t *bus = bus_stack_tcp_program(stack, "agent", "agent");
    outcome_t outcome = ask_status(stack, bus);
    assert_int_equal(outcome.code, ERR_FORBIDDEN);
}

static void a_key_that_is_not_authorized_is_refused(void **state)
{
    bus_stack_t *stack = *state;
    AUTO_FREE char *path = xasprintf("%s/authorized/operator/operator.public", stack->keys);
    assert_int_equal(unlink(path), 0);
    AUTO(bus_destroy) bus_t *bus = bus_stack_tcp_program(stack, "cli", "operator");
    outcome_t outcome = ask_status(stack, bus);
    assert_int_equal(outcome.code, ERR_TIMEOUT);
    assert_true(bus_stack_metric(stack, "aiopslab_broker_keys_refused_total") >= 1);
}

static void another_brokers_public_key_is_of_no_use(void **state)
{
    bus_stack_t *stack = *state;
    AUTO_FREE char *public_path = xasprintf("%s/broker.public", stack->keys);
    AUTO_FREE char *agent_path = xasprintf("%s/agent.public", stack->keys);
    assert_int_equal(rename(agent_path, public_path), 0);
    AUTO(bus_destroy) bus_t *bus = bus_stack_tcp_program(stack, "cli", "operator");
    outcome_t outcome = ask_status(stack, bus);
    assert_int_equal(outcome.code, ERR_TIMEOUT);
}

static void a_program_without_curve_is_not_let_in_by_tcp(void **state)
{
    bus_stack_t *stack = *state;
    AUTO(zsock_destroy) zsock_t *sock = zsock_new(ZMQ_DEALER);
    int one = 1;
    zmq_setsockopt(zsock_resolve(sock), ZMQ_PROBE_ROUTER, &one, sizeof(one));
    zsock_set_rcvtimeo(sock, 1000);
    zsock_connect(sock, "tcp://127.0.0.1:%d", stack->port);
    AUTO(zmsg_destroy) zmsg_t *welcome = zmsg_recv(sock);
    assert_null(welcome);
}

static void secrets_are_for_their_owner_only(void **state)
{
    bus_stack_t *stack = *state;
    static const char *const names[] = {"broker", "service", "operator", "agent"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        AUTO_FREE char *path = xasprintf("%s/%s.secret", stack->keys, names[i]);
        struct stat status;
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
    }
}

static void a_secret_that_others_may_read_is_not_used(void **state)
{
    bus_stack_t *stack = *state;
    AUTO_FREE char *path = xasprintf("%s/operator.secret", stack->keys);
    chmod(path, 0644);
    keys_pair_t pair;
    err_t err;
    assert_int_equal(keys_load(stack->keys, "operator", &pair, &err), -ERR_FORBIDDEN);
}

/* ---- roles ---------------------------------------------------------------------------------- */

static void an_agent_without_a_grant_reaches_nobody(void **state)
{
    bus_stack_t *stack = *state;
    caller_t caller = {0};
    AUTO(bus_destroy) bus_t *service = orchestrator(stack, &caller);
    AUTO(bus_destroy) bus_t *agent = bus_stack_tcp_program(stack, "agent", "agent");
    outcome_t outcome = ask_session(stack, agent);
    assert_int_equal(outcome.code, ERR_FORBIDDEN);
    assert_string_equal(outcome.text, "no grant to call 'orchestrator'");
    assert_int_equal(caller.role, BUS_ROLE_NONE);
}

static void an_agent_reaches_what_it_was_granted_and_is_vouched_for(void **state)
{
    bus_stack_t *stack = *state;
    caller_t caller = {0};
    AUTO(bus_destroy) bus_t *service = orchestrator(stack, &caller);
    AUTO(bus_destroy) bus_t *agent = bus_stack_tcp_program(stack, "agent", "agent");
    bus_grant(service, "agent", "session/1/", "orchestrator");
    assert_int_equal(ask_status(stack, service).code, ERR_NONE);
    outcome_t outcome = ask_session(stack, agent);
    assert_int_equal(outcome.code, ERR_NONE);
    assert_int_equal(caller.role, BUS_ROLE_AGENT);
    assert_string_equal(caller.principal, "agent");
}

static void a_grant_taken_back_is_gone(void **state)
{
    bus_stack_t *stack = *state;
    caller_t caller = {0};
    AUTO(bus_destroy) bus_t *service = orchestrator(stack, &caller);
    AUTO(bus_destroy) bus_t *agent = bus_stack_tcp_program(stack, "agent", "agent");
    bus_grant(service, "agent", "session/1/", "orchestrator");
    bus_revoke(service, "agent", "session/1/", "orchestrator");
    assert_int_equal(ask_status(stack, service).code, ERR_NONE);
    assert_int_equal(ask_session(stack, agent).code, ERR_FORBIDDEN);
}

static void an_agent_with_a_grant_still_sends_only_what_agents_may(void **state)
{
    bus_stack_t *stack = *state;
    caller_t caller = {0};
    AUTO(bus_destroy) bus_t *service = orchestrator(stack, &caller);
    AUTO(bus_destroy) bus_t *agent = bus_stack_tcp_program(stack, "agent", "agent");
    bus_grant(service, "agent", NULL, "orchestrator");
    assert_int_equal(ask_status(stack, service).code, ERR_NONE);
    bus_call_t call = {
        .target = "orchestrator", .type = &env_list_type, .message = &(env_list_t){}};
    outcome_t outcome = ask(stack, agent, &call);
    assert_int_equal(outcome.code, ERR_FORBIDDEN);
    assert_string_equal(outcome.text, "role 'agent' may not send 'env.list'");
}

static void an_agent_may_not_grant(void **state)
{
    bus_stack_t *stack = *state;
    AUTO(bus_destroy) bus_t *agent = bus_stack_tcp_program(stack, "agent", "agent");
    char *topics[] = {(char *)""};
    bus_call_t call = {.target = "broker",
        .type = &broker_grant_type,
        .message = &(broker_grant_t){.principal = "agent", .topics = {topics, 1}}};
    assert_int_equal(ask(stack, agent, &call).code, ERR_FORBIDDEN);
}

static void an_agent_may_not_offer_a_service(void **state)
{
    bus_stack_t *stack = *state;
    caller_t caller = {0};
    static const bus_handler_t handlers[] = {{&session_close_type, on_close}};
    AUTO(bus_destroy) bus_t *impostor = bus_stack_tcp_program(stack, "orchestrator", "agent");
    bus_serve(impostor, "orchestrator", handlers, 1, &caller);
    AUTO(bus_destroy) bus_t *cli = bus_stack_tcp_program(stack, "cli", "operator");
    outcome_t outcome = ask_session(stack, cli);
    assert_int_equal(outcome.code, ERR_UNAVAILABLE);
    assert_int_equal(caller.role, BUS_ROLE_NONE);
}

static void an_agent_hears_only_the_topics_it_was_granted(void **state)
{
    bus_stack_t *stack = *state;
    caller_t caller = {0};
    AUTO(bus_destroy) bus_t *service = orchestrator(stack, &caller);
    AUTO(bus_destroy) bus_t *agent = bus_stack_tcp_program(stack, "agent", "agent");
    bus_grant(service, "agent", "session/own/", NULL);
    bus_publish(service, "session/own/state", &ok_type, &(ok_t){});
    bus_publish(service, "session/other/state", &ok_type, &(ok_t){});
    assert_int_equal(ask_status(stack, service).code, ERR_NONE);
    int own = 0;
    int other = 0;
    int all = 0;
    bus_subscribe(agent, "session/own/", count_event, &own);
    bus_subscribe(agent, "session/other/", count_event, &other);
    bus_subscribe(agent, "", count_event, &all);
    bus_stack_await(stack, &own, 1);
    bus_publish(service, "session/other/state", &ok_type, &(ok_t){});
    bus_publish(service, "session/own/state", &ok_type, &(ok_t){});
    bus_stack_await(stack, &own, 2);
    assert_int_equal(other, 0);
    assert_true(bus_stack_metric(stack, "aiopslab_broker_subscriptions_refused_total") >= 2);
}

static void an_agent_cannot_publish(void **state)
{
    bus_stack_t *stack = *state;
    AUTO(bus_destroy) bus_t *agent = bus_stack_tcp_program(stack, "agent", "agent");
    assert_int_equal(ask_status(stack, agent).code, ERR_FORBIDDEN);
    bus_publish(agent, "env/1/state", &ok_type, &(ok_t){});
    bus_stack_run_for(stack, 300);
    assert_true(bus_stack_metric(stack, "aiopslab_broker_events_total") == 0);
}

/* ---- the publish port ----------------------------------------------------------------------- */

typedef struct heard {
    int count;
    char topic[64]; /* of the first */
} heard_t;

static void on_event(void *arg, const bus_event_t *event)
{
    heard_t *heard = arg;
    if (!heard->count++)
        snprintf(heard->topic, sizeof(heard->topic), "%s", event->topic);
}

/* As a service is told it. */
static char *publish_endpoint(bus_stack_t *stack)
{
    AUTO(bus_destroy) bus_t *bus = bus_stack_tcp_program(stack, "service", "service");
    broker_hello_t hello = {.name = "service", .instance = "1"};
    bus_call_t call = {.target = "broker", .type = &broker_hello_type, .message = &hello};
    void *reply = NULL;
    assert_int_equal(bus_call(bus, &call, &broker_welcome_type, &reply, NULL), 0);
    char *endpoint = xstrdup(((const broker_welcome_t *)reply)->publish);
    codec_free(&broker_welcome_type, reply);
    return endpoint;
}

/* A publisher by hand, since the library asks the broker where it may publish. */
static zsock_t *forger(bus_stack_t *stack, const char *role)
{
    keys_pair_t pair;
    char server_key[KEY_TEXT_SIZE];
    assert_int_equal(keys_load(stack->keys, role, &pair, NULL), 0);
    assert_int_equal(keys_load_public(stack->keys, "broker", server_key, NULL), 0);
    zsock_t *sock = zsock_new(ZMQ_PUB);
    void *socket = zsock_resolve(sock);
    zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server_key, KEY_TEXT_SIZE);
    zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, pair.public_text, KEY_TEXT_SIZE);
    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, pair.secret_text, KEY_TEXT_SIZE);
    AUTO_FREE char *endpoint = publish_endpoint(stack);
    assert_int_equal(zsock_connect(sock, "%s", endpoint), 0);
    return sock;
}

static void publish_forged(zsock_t *sock)
{
    static const char head[] = "session/1/state\0"
                               "12345678";
    envelope_t envelope = {.kind = ENVELOPE_EVENT, .id = "1", .type = "ok", .source = "forger@1"};
    AUTO_FREE char *bytes = NULL;
    size_t size = 0;
    envelope_encode(&envelope, &bytes, &size);
    AUTO_FREE char *frame = xcalloc(1, sizeof(head) - 1 + size);
    memcpy(frame, head, sizeof(head) - 1);
    memcpy(frame + sizeof(head) - 1, bytes, size);
    zmq_send(zsock_resolve(sock), frame, sizeof(head) - 1 + size, ZMQ_DONTWAIT);
}

static void expect_no_forgery(bus_stack_t *stack, const char *role)
{
    AUTO(bus_destroy) bus_t *service = bus_stack_program(stack, "service");
    AUTO(bus_destroy) bus_t *subscriber = bus_stack_program(stack, "subscriber");
    heard_t heard = {0};
    bus_subscribe(subscriber, "session/", on_event, &heard);
    AUTO(zsock_destroy) zsock_t *sock = forger(stack, role);
    for (int i = 0; bus_stack_metric(stack, "aiopslab_broker_keys_refused_total") < 1; i++) {
        assert_true(i < 1000); /* it tries again and again */
        publish_forged(sock);
        bus_stack_run_for(stack, 5);
    }
    bus_publish(service, "session/2/state", &ok_type, &(ok_t){});
    bus_stack_await(stack, &heard.count, 1);
    assert_string_equal(heard.topic, "session/2/state");
    assert_true(bus_stack_metric(stack, "aiopslab_broker_events_total") == 1);
    assert_true(bus_stack_metric(stack, "aiopslab_broker_events_invalid_total") == 0);
}

static void an_agents_key_is_refused_where_services_publish(void **state)
{
    expect_no_forgery(*state, "agent");
}

static void so_is_an_operators(void **state)
{
    expect_no_forgery(*state, "operator");
}

/* That the forger's way is the right one, but for the key. */
static void a_services_key_is_not(void **state)
{
    bus_stack_t *stack = *state;
    AUTO(bus_destroy) bus_t *subscriber = bus_stack_program(stack, "subscriber");
    heard_t heard = {0};
    bus_subscribe(subscriber, "session/", on_event, &heard);
    AUTO(zsock_destroy) zsock_t *sock = forger(stack, "service");
    for (int i = 0; !heard.count; i++) {
        assert_true(i < 1000);
        publish_forged(sock);
        bus_stack_run_for(stack, 5);
    }
    assert_string_equal(heard.topic, "session/1/state");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_operator_may_ask_how_the_broker_is),
        TEST(an_agent_may_not),
        TEST(a_key_that_is_not_authorized_is_refused),
        TEST(another_brokers_public_key_is_of_no_use),
        TEST(a_program_without_curve_is_not_let_in_by_tcp),
        TEST(secrets_are_for_their_owner_only),
        TEST(a_secret_that_others_may_read_is_not_used),
        TEST(an_agent_without_a_grant_reaches_nobody),
        TEST(an_agent_reaches_what_it_was_granted_and_is_vouched_for),
        TEST(a_grant_taken_back_is_gone),
        TEST(an_agent_with_a_grant_still_sends_only_what_agents_may),
        TEST(an_agent_may_not_grant),
        TEST(an_agent_may_not_offer_a_service),
        TEST(an_agent_hears_only_the_topics_it_was_granted),
        TEST(an_agent_cannot_publish),
        TEST(an_agents_key_is_refused_where_services_publish),
        TEST(so_is_an_operators),
        TEST(a_services_key_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
