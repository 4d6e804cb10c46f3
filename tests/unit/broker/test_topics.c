#include "base/auto.h"
#include "broker/topics.h"
#include "tests/support/test.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

enum { RUN = 0xabcd };

/* "topic NUL number content"; returns its size. */
static size_t make_event(char *event, const char *topic, const char *content)
{
    size_t size = strlen(topic);
    memcpy(event, topic, size);
    memset(event + size, 0, 9);
    memcpy(event + size + 9, content, strlen(content));
    return size + 9 + strlen(content);
}

/* Stamps an event and returns the number as it stands in the frame. */
static uint64_t stamp(topics_t *topics, const char *topic, const char *content)
{
    char event[256];
    size_t size = make_event(event, topic, content);
    topics_stamp(topics, event, size, strlen(topic));
    uint64_t number;
    memcpy(&number, event + strlen(topic) + 1, sizeof(number));
    return be64toh(number);
}

static void collect(void *arg, const void *event, size_t size)
{
    char *seen = arg;
    size_t topic = strlen(event);
    snprintf(seen + strlen(seen), 64, "%s=%.*s ", (const char *)event, (int)(size - topic - 9),
        (const char *)event + topic + 9);
}

static void events_of_each_topic_are_counted_from_one(void **state)
{
    (void)state;
    AUTO(topics_destroy) topics_t *topics = topics_new(RUN, 10, 1);
    assert_true(stamp(topics, "a", "x") == ((uint64_t)RUN << 48 | 1));
    assert_true(stamp(topics, "a", "x") == ((uint64_t)RUN << 48 | 2));
    assert_true(stamp(topics, "b", "x") == ((uint64_t)RUN << 48 | 1));
}

static void the_last_event_of_a_state_is_kept(void **state)
{
    (void)state;
    AUTO(topics_destroy) topics_t *topics = topics_new(RUN, 10, 1);
    char seen[256] = "";
    stamp(topics, "env/1/state", "one");
    stamp(topics, "env/2/state", "two");
    stamp(topics, "env/1/load", "not kept");
    stamp(topics, "env/1/state", "three");
    topics_each_last(topics, "env/", collect, seen);
    assert_string_equal(seen, "env/2/state=two env/1/state=three ");
}

static void only_the_asked_prefix_is_given(void **state)
{
    (void)state;
    AUTO(topics_destroy) topics_t *topics = topics_new(RUN, 10, 1);
    char seen[256] = "";
    stamp(topics, "env/1/state", "one");
    stamp(topics, "fault/1/state", "two");
    topics_each_last(topics, "fault/", collect, seen);
    assert_string_equal(seen, "fault/1/state=two ");
}

static void the_quietest_topic_is_forgotten_when_there_are_too_many(void **state)
{
    (void)state;
    AUTO(topics_destroy) topics_t *topics = topics_new(RUN, 2, 1);
    stamp(topics, "a", "x");
    stamp(topics, "b", "x");
    stamp(topics, "a", "x");
    stamp(topics, "c", "x");
    assert_int_equal(topics_count(topics), 2);
    assert_true(stamp(topics, "a", "x") == ((uint64_t)RUN << 48 | 3));
    assert_true(stamp(topics, "b", "x") == ((uint64_t)RUN << 48 | 1));
}

static void what_is_not_an_event_has_no_topic(void **state)
{
    (void)state;
    char event[512];
    size_t size = make_event(event, "env/1/load", "x");
    assert_int_equal(topics_parse(event, size), 10);
    assert_int_equal(topics_parse(event, size - 1), 0);
    assert_int_equal(topics_parse(event, 5), 0);
    assert_int_equal(topics_parse(event, 0), 0);
    assert_int_equal(topics_parse("\0xxxxxxxxxxxx", 13), 0);
    size = make_event(event, "env\n/load", "x");
    assert_int_equal(topics_parse(event, size), 0);
    memset(event, 'x', sizeof(event));
    assert_int_equal(topics_parse(event, sizeof(event)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_of_each_topic_are_counted_from_one),
        cmocka_unit_test(the_last_event_of_a_state_is_kept),
        cmocka_unit_test(only_the_asked_prefix_is_given),
        cmocka_unit_test(the_quietest_topic_is_forgotten_when_there_are_too_many),
        cmocka_unit_test(what_is_not_an_event_has_no_topic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
