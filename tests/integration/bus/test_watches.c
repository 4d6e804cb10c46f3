/* Watching: a service hears of the end of a program's last connection. */
#include "base/auto.h"
#include "tests/support/bus_world.h"

#define TEST(rule) cmocka_unit_test_setup_teardown(rule, bus_world_set_up, bus_world_tear_down)

typedef struct heard {
    int count;
    err_code_t code;
    char how[32];
} heard_t;

static void on_gone(void *arg, const bus_reply_t *reply)
{
    heard_t *heard = arg;
    heard->count++;
    heard->code = reply->err ? reply->err->code : ERR_NONE;
    snprintf(heard->how, sizeof(heard->how), "%s",
        reply->err ? "" : ((const broker_gone_t *)reply->message)->how);
}

static void watch(bus_t *bus, const char *source, int64_t timeout_ms, heard_t *heard)
{
    broker_watch_t message = {.source = source, .role = "local", .principal = ""};
    bus_call_t call = {.target = "broker",
        .type = &broker_watch_type,
        .message = &message,
        .timeout_ms = timeout_ms};
    bus_request(bus, &call, on_gone, heard);
}

static void a_program_that_is_not_there_is_absent(void **state)
{
    bus_world_t *world = *state;
    AUTO(bus_destroy) bus_t *service = bus_world_program(world, "service", "1");
    heard_t heard = {0};
    watch(service, "client@1", 60000, &heard);
    ev_sim_run_for(world->ev, 100);
    assert_int_equal(heard.count, 1);
    assert_string_equal(heard.how, "absent");
}

static void a_bye_is_told_at_once(void **state)
{
    bus_world_t *world = *state;
    AUTO(bus_destroy) bus_t *service = bus_world_program(world, "service", "1");
    bus_t *client = bus_world_program(world, "client", "1");
    heard_t heard = {0};
    ev_sim_run_for(world->ev, 100);
    watch(service, "client@1", 60000, &heard);
    ev_sim_run_for(world->ev, 20000);
    assert_int_equal(heard.count, 0);
    bus_destroy(&client);
    ev_sim_run_for(world->ev, 10);
    assert_string_equal(heard.how, "left");
}

static void silence_is_told_when_it_is_believed(void **state)
{
    bus_world_t *world = *state;
    AUTO(bus_destroy) bus_t *service = bus_world_program(world, "service", "1");
    AUTO(zsock_destroy) zsock_t *silent = raw_new(world);
    raw_serve(world, silent, "client", "1");
    heard_t heard = {0};
    watch(service, "client@1", 60000, &heard);
    ev_sim_run_for(world->ev, 4000);
    assert_int_equal(heard.count, 0);
    ev_sim_run_for(world->ev, 2000);
    assert_string_equal(heard.how, "silent");
}

static void the_last_connection_counts(void **state)
{
    bus_world_t *world = *state;
    AUTO(bus_destroy) bus_t *service = bus_world_program(world, "service", "1");
    bus_t *first = bus_world_program(world, "client", "1");
    bus_t *second = bus_world_program(world, "client", "1");
    heard_t heard = {0};
    ev_sim_run_for(world->ev, 100);
    watch(service, "client@1", 60000, &heard);
    bus_destroy(&first);
    ev_sim_run_for(world->ev, 10000);
    assert_int_equal(heard.count, 0);
    bus_destroy(&second);
    ev_sim_run_for(world->ev, 10);
    assert_int_equal(heard.count, 1);
}

static void waiting_ends_at_its_deadline(void **state)
{
    bus_world_t *world = *state;
    AUTO(bus_destroy) bus_t *service = bus_world_program(world, "service", "1");
    AUTO(bus_destroy) bus_t *client = bus_world_program(world, "client", "1");
    heard_t heard = {0};
    ev_sim_run_for(world->ev, 100);
    watch(service, "client@1", 3000, &heard);
    ev_sim_run_for(world->ev, 2900);
    assert_int_equal(heard.count, 0);
    ev_sim_run_for(world->ev, 1000);
    assert_int_equal(heard.code, ERR_TIMEOUT);
}

static void a_watcher_that_leaves_is_forgotten(void **state)
{
    bus_world_t *world = *state;
    bus_t *service = bus_world_program(world, "service", "1");
    bus_t *client = bus_world_program(world, "client", "1");
    heard_t heard = {0};
    ev_sim_run_for(world->ev, 100);
    watch(service, "client@1", 60000, &heard);
    ev_sim_run_for(world->ev, 100);
    bus_destroy(&service);
    ev_sim_run_for(world->ev, 100);
    bus_destroy(&client);
    ev_sim_run_for(world->ev, 10000);
    assert_int_equal(heard.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_program_that_is_not_there_is_absent),
        TEST(a_bye_is_told_at_once),
        TEST(silence_is_told_when_it_is_believed),
        TEST(the_last_connection_counts),
        TEST(waiting_ends_at_its_deadline),
        TEST(a_watcher_that_leaves_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
