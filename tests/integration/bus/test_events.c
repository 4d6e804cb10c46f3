#include "base/auto.h"
#include "bus/topic.h"
#include "tests/support/bus_world.h"

#define TEST(rule) cmocka_unit_test_setup_teardown(rule, bus_world_set_up, bus_world_tear_down)

/* What a subscriber saw, as "topic=text" words. */
typedef struct seen {
    char words[512];
    size_t count;
    size_t last_values;
    uint64_t lost;
    uint64_t number; /* of the last */
} seen_t;

static void on_event(void *arg, const bus_event_t *event)
{
    seen_t *seen = arg;
    size_t used = strlen(seen->words);
    snprintf(seen->words + used, sizeof(seen->words) - used, "%s=%s ", event->topic,
        ((const broker_last_t *)event->message)->prefix);
    seen->count++;
    seen->last_values += event->is_last_value ? 1 : 0;
    seen->lost += event->lost;
    seen->number = event->number;
}

static void publish(bus_t *bus, const char *topic, const char *text)
{
    assert_int_equal(bus_publish(bus, topic, &broker_last_type, &(broker_last_t){text}), 0);
}

static void an_event_reaches_whoever_subscribed_to_its_prefix(void **state)
{
    bus_world_t *world = *state;
    AUTO(bus_destroy) bus_t *publisher = bus_world_program(world, "publisher", "1");
    AUTO(bus_destroy) bus_t *one = bus_world_program(world, "one", "1");
    AUTO(bus_destroy) bus_t *two = bus_world_program(world, "two", "1");
    seen_t seen_one = {0};
    seen_t seen_two = {0};
    bus_subscribe(one, "env/1/", on_event, &seen_one);
    bus_subscribe(two, "env/", on_event, &seen_two);
    ev_sim_run_for(world->ev, 100);
    publish(publisher, "env/1/load", "a");
    publish(publisher, "env/2/load", "b");
    ev_sim_run_for(world->ev, 100);
    assert_string_equal(seen_one.words, "env/1/load=a ");
    assert_string_equal(seen_two.words, "env/1/load=a env/2/load=b ");
}

static void events_of_a_topic_are_numbered_from_one(void **state)
{
    bus_world_t *world = *state;
    AUTO(bus_destroy) bus_t *bus = bus_world_program(world, "both", "1");
    seen_t seen = {0};
    bus_subscribe(bus, "env/", on_event, &seen);
    ev_sim_run_for(world->ev, 100);
    publish(bus, "env/1/load", "a");
    ev_sim_run_for(world->ev, 100);
    assert_int_equal(seen.number, 1);
    publish(bus, "env/1/load", "b");
    ev_sim_run_for(world->ev, 100);
    assert_int_equal(seen.number, 2);
    publish(bus, "env/2/load", "c");
    ev_sim_run_for(world->ev, 100);
    assert_int_equal(seen.number, 1);
}

static void a_late_subscriber_gets_the_last_value_of_states(void **state)
{
    bus_world_t *world = *state;
    AUTO(bus_destroy) bus_t *publisher = bus_world_program(world, "publisher", "1");
    publish(publisher, "env/1/state", "starting");
    publish(publisher, "env/1/load", "not a state");
    publish(publisher, "env/1/state", "ready");
    ev_sim_run_for(world->ev, 100);
    AUTO(bus_destroy) bus_t *late = bus_world_program(world, "late", "1");
    seen_t seen = {0};
    bus_subscribe(late, "env/", on_event, &seen);
    ev_sim_run_for(world->ev, 100);
    assert_string_equal(seen.words, "env/1/state=ready ");
    assert_int_equal(seen.last_values, 1);
}

static void last_values_come_in_the_order_they_were_published(void **state)
{
    bus_world_t *world = *state;
    AUTO(bus_destroy) bus_t *publisher = bus_world_program(world, "publisher", "1");
    publish(publisher, "env/b/state", "1");
    publish(publisher, "env/a/state", "2");
    publish(publisher, "env/c/state", "3");
    publish(publisher, "env/b/state", "4");
    ev_sim_run_for(world->ev, 100);
    seen_t seen = {0};
    bus_subscribe(publisher, "env/", on_event, &seen);
    ev_sim_run_for(world->ev, 100);
    assert_string_equal(seen.words, "env/a/state=2 env/c/state=3 env/b/state=4 ");
}

static void a_second_subscription_gets_last_values_of_its_own(void **state)
{
    bus_world_t *world = *state;
    AUTO(bus_destroy) bus_t *bus = bus_world_program(world, "both", "1");
    publish(bus, "env/1/state", "ready");
    seen_t first = {0};
    seen_t second = {0};
    bus_subscribe(bus, "env/", on_event, &first);
    ev_sim_run_for(world->ev, 100);
    bus_subscribe(bus, "env/1/", on_event, &second);
    ev_sim_run_for(world->ev, 100);
    assert_string_equal(first.words, "env/1/state=ready ");
    assert_string_equal(second.words, "env/1/state=ready ");
}

static void no_event_comes_twice_while_subscribing(void **state)
{
    bus_world_t *world = *state;
    AUTO(bus_destroy) bus_t *publisher = bus_world_program(world, "publisher", "1");
    AUTO(bus_destroy) bus_t *subscriber = bus_world_program(world, "subscriber", "1");
    ev_sim_run_for(world->ev, 100);
    seen_t seen = {0};
    publish(publisher, "env/1/state", "a");
    bus_subscribe(subscriber, "env/", on_event, &seen);
    publish(publisher, "env/1/state", "b");
    ev_sim_run_for(world->ev, 0);
    publish(publisher, "env/1/state", "c");
    ev_sim_run_for(world->ev, 100);
    assert_non_null(strstr(seen.words, "env/1/state=c "));
    assert_int_equal(seen.lost, 0);
    assert_true(seen.count <= 3);
}

static void events_wait_for_the_broker(void **state)
{
    bus_world_t *world = *state;
    bus_world_stop_broker(world);
    AUTO(bus_destroy) bus_t *publisher = bus_world_program(world, "publisher", "1");
    AUTO(bus_destroy) bus_t *subscriber = bus_world_program(world, "subscriber", "1");
    seen_t seen = {0};
    bus_subscribe(subscriber, "fault/", on_event, &seen);
    publish(publisher, "fault/1/state", "early");
    bus_world_restart_broker(world);
    ev_sim_run_for(world->ev, 20000);
    assert_string_equal(seen.words, "fault/1/state=early ");
}

static void the_oldest_go_when_too_many_events_wait(void **state)
{
    bus_world_t *world = *state;
    bus_world_stop_broker(world);
    AUTO(bus_destroy) bus_t *publisher = bus_world_program(world, "publisher", "1");
    for (int i = 0; i < BUS_QUEUE_LIMIT; i++)
        publish(publisher, "env/1/load", "x");
    int rc =
        bus_publish(publisher, "env/1/load", &broker_last_type, &(broker_last_t){"one too many"});
    assert_int_equal(rc, -ERR_OVERLOADED);
    assert_int_equal(bus_counts(publisher)->events_dropped, 1);
}

static void states_are_told_again_to_a_new_broker(void **state)
{
    bus_world_t *world = *state;
    AUTO(bus_destroy) bus_t *publisher = bus_world_program(world, "publisher", "1");
    publish(publisher, "session/1/state", "active");
    ev_sim_run_for(world->ev, 100);
    bus_world_restart_broker(world);
    ev_sim_run_for(world->ev, 20000);
    AUTO(bus_destroy) bus_t *late = bus_world_program(world, "late", "1");
    seen_t seen = {0};
    bus_subscribe(late, "session/", on_event, &seen);
    ev_sim_run_for(world->ev, 100);
    assert_string_equal(seen.words, "session/1/state=active ");
}

static void a_subscription_survives_a_new_broker_and_counts_no_loss(void **state)
{
    bus_world_t *world = *state;
    AUTO(bus_destroy) bus_t *publisher = bus_world_program(world, "publisher", "1");
    seen_t seen = {0};
    bus_subscribe(publisher, "env/", on_event, &seen);
    ev_sim_run_for(world->ev, 100);
    publish(publisher, "env/1/load", "a");
    publish(publisher, "env/1/load", "b");
    ev_sim_run_for(world->ev, 100);
    bus_world_restart_broker(world);
    ev_sim_run_for(world->ev, 20000);
    publish(publisher, "env/1/load", "c");
    ev_sim_run_for(world->ev, 100);
    assert_string_equal(seen.words, "env/1/load=a env/1/load=b env/1/load=c ");
    assert_int_equal(seen.lost, 0);
}

static void nothing_comes_after_unsubscribing(void **state)
{
    bus_world_t *world = *state;
    AUTO(bus_destroy) bus_t *bus = bus_world_program(world, "both", "1");
    seen_t seen = {0};
    int id = bus_subscribe(bus, "env/", on_event, &seen);
    ev_sim_run_for(world->ev, 100);
    bus_unsubscribe(bus, id);
    publish(bus, "env/1/load", "a");
    ev_sim_run_for(world->ev, 100);
    assert_int_equal(seen.count, 0);
}

static void an_event_that_is_too_large_is_not_published(void **state)
{
    bus_world_t *world = *state;
    AUTO(bus_destroy) bus_t *bus = bus_world_program(world, "both", "1");
    AUTO_FREE char *text = calloc(1, (1 << 20) + 1);
    memset(text, 'x', 1 << 20);
    int rc = bus_publish(bus, "env/1/load", &broker_last_type, &(broker_last_t){text});
    assert_int_equal(rc, -ERR_LIMIT);
}

/* A subscriber by hand, whose queue holds one event. */
static zsock_t *narrow_subscriber(const bus_world_t *world)
{
    zsock_t *sock = zsock_new(ZMQ_SUB);
    int one = 1;
    zmq_setsockopt(zsock_resolve(sock), ZMQ_RCVHWM, &one, sizeof(one));
    zmq_setsockopt(zsock_resolve(sock), ZMQ_SUBSCRIBE, "", 0);
    assert_int_equal(zsock_connect(sock, "%s", world->events), 0);
    return sock;
}

static void a_slow_subscriber_loses_events_and_hurts_nobody_else(void **state)
{
    bus_world_t *world = *state;
    world->config.events_queue = 1;
    bus_world_restart_broker(world);
    AUTO(bus_destroy) bus_t *publisher = bus_world_program(world, "publisher", "1");
    AUTO(bus_destroy) bus_t *good = bus_world_program(world, "good", "1");
    AUTO(zsock_destroy) zsock_t *slow = narrow_subscriber(world);
    seen_t seen = {0};
    bus_subscribe(good, "env/", on_event, &seen);
    ev_sim_run_for(world->ev, 100);
    for (int i = 0; i < 30; i++)
        publish(publisher, "env/1/load", "x");
    ev_sim_run_for(world->ev, 100);
    assert_int_equal(seen.count, 30);
    assert_int_equal(seen.lost, 0);
    AUTO(zmsg_destroy) zmsg_t *first = zmsg_recv(slow);
    AUTO(zmsg_destroy) zmsg_t *second = zmsg_recv(slow);
    assert_non_null(second);
    assert_false(zsock_events(slow) & ZMQ_POLLIN);
}

static void topics_of_states_are_told_by_their_shape(void **state)
{
    (void)state;
    assert_true(topic_is_state("env/env-1/state"));
    assert_true(topic_is_state("session/x/state"));
    assert_false(topic_is_state("env/state"));
    assert_false(topic_is_state("env/a/b/state"));
    assert_false(topic_is_state("env/a/states"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_event_reaches_whoever_subscribed_to_its_prefix),
        TEST(events_of_a_topic_are_numbered_from_one),
        TEST(a_late_subscriber_gets_the_last_value_of_states),
        TEST(last_values_come_in_the_order_they_were_published),
        TEST(a_second_subscription_gets_last_values_of_its_own),
        TEST(no_event_comes_twice_while_subscribing),
        TEST(events_wait_for_the_broker),
        TEST(the_oldest_go_when_too_many_events_wait),
        TEST(states_are_told_again_to_a_new_broker),
        TEST(a_subscription_survives_a_new_broker_and_counts_no_loss),
        TEST(nothing_comes_after_unsubscribing),
        TEST(an_event_that_is_too_large_is_not_published),
        TEST(a_slow_subscriber_loses_events_and_hurts_nobody_else),
        cmocka_unit_test(topics_of_states_are_told_by_their_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
