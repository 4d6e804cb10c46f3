#include "base/auto.h"
#include "base/mem.h"
#include "services/injector/difference.h"
#include "tests/support/test.h"

static json_t *parsed(const char *text)
{
    char *json = xstrdup(text);
    for (char *at = json; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    json_t *object = json_loads(json, 0, NULL);
    free(json);
    assert_non_null(object);
    return object;
}

static void expect_equal(const json_t *object, const json_t *wanted)
{
    AUTO_FREE char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    AUTO_FREE char *expected = json_dumps(wanted, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text, expected);
}

static void undo(const json_t *parts, json_t *object, const json_t *original)
{
    size_t i;
    json_t *part;
    json_array_foreach((json_t *)parts, i, part)
    {
        if (difference_part_holds(part, object))
            assert_true(difference_part_undo(part, object, original));
    }
}

static void do_all(const json_t *parts, json_t *object)
{
    for (size_t i = 0; i < json_array_size(parts); i++)
        assert_true(difference_part_do(json_array_get(parts, i), object));
}

/* Each is done on the other's result and undone again. */
static void a_difference_leads_there_and_back(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"{'a': 1}", "{'a': 2}"},
        {"{'a': {'b': 1, 'c': 2}}", "{'a': {'b': 1, 'd': {'e': 3}}}"},
        {"{}", "{'a': {'b': {'c': 1}}}"},
        {"{'a': {'b': {'c': 1}}}", "{}"},
        {"{'l': [{'name': 'x', 'v': 1}, {'name': 'y'}]}", "{'l': [{'name': 'x', 'v': 2}]}"},
        {"{'l': [{'name': 'x'}, {'name': 'y'}, {'name': 'z'}]}", "{'l': [{'name': 'z'}]}"},
        {"{'l': [{'name': 'x'}]}", "{'l': [{'name': 'x'}, {'name': 'y', 'w': [1]}]}"},
        {"{}", "{'taints': [{'key': 'k', 'effect': 'NoSchedule'}]}"},
        {"{'args': ['a', 'b']}", "{'args': ['a', 'c', 'd']}"},
        {"{'ports': [{'port': 80, 'targetPort': 80}]}",
            "{'ports': [{'port': 80, 'targetPort': 1}]}"},
        {"{'rules': [{'verbs': ['get']}]}", "{'rules': []}"},
        {"{'a': {}}", "{'a': {'b': 1}}"},
        {"{'env': [{'name': 'x', 'value': '1'}]}", "{'env': []}"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        json_auto_t *before = parsed(pairs[i][0]);
        json_auto_t *after = parsed(pairs[i][1]);
        json_auto_t *parts = difference_between(before, after);
        json_auto_t *object = json_deep_copy(before);
        do_all(parts, object);
        undo(parts, object, before);
        expect_equal(object, before);
        json_auto_t *other = json_deep_copy(after);
        undo(parts, other, before);
        expect_equal(other, before);
    }
}

static void equal_objects_have_no_difference(void **state)
{
    (void)state;
    json_auto_t *object = parsed("{'a': [1, {'b': 2}], 'c': {'d': null}}");
    json_auto_t *copy = json_deep_copy(object);
    json_auto_t *parts = difference_between(object, copy);
    assert_int_equal(json_array_size(parts), 0);
}

static void what_others_changed_since_stays(void **state)
{
    (void)state;
    json_auto_t *before = parsed("{'s': {'replicas': 1, 'image': 'good'}}");
    json_auto_t *after = parsed("{'s': {'replicas': 1, 'image': 'bad'}}");
    json_auto_t *parts = difference_between(before, after);
    json_auto_t *now = parsed("{'s': {'replicas': 3, 'image': 'bad', 'paused': true}}");
    json_auto_t *wanted = parsed("{'s': {'replicas': 3, 'image': 'good', 'paused': true}}");
    undo(parts, now, before);
    expect_equal(now, wanted);
}

static void a_value_that_somebody_replaced_is_left_alone(void **state)
{
    (void)state;
    json_auto_t *before = parsed("{'image': 'good'}");
    json_auto_t *after = parsed("{'image': 'bad'}");
    json_auto_t *parts = difference_between(before, after);
    json_auto_t *now = parsed("{'image': 'better'}");
    assert_false(difference_part_holds(json_array_get(parts, 0), now));
    undo(parts, now, before);
    json_auto_t *wanted = parsed("{'image': 'better'}");
    expect_equal(now, wanted);
}

static void two_taints_are_undone_in_any_order(void **state)
{
    (void)state;
    json_auto_t *none = parsed("{'spec': {}}");
    json_auto_t *one = parsed("{'spec': {'taints': [{'key': 'a'}]}}");
    json_auto_t *two = parsed("{'spec': {'taints': [{'key': 'a'}, {'key': 'b'}]}}");
    json_auto_t *first = difference_between(none, one);
    json_auto_t *second = difference_between(one, two);
    json_auto_t *object = json_deep_copy(two);
    undo(first, object, none);
    json_auto_t *wanted = parsed("{'spec': {'taints': [{'key': 'b'}]}}");
    expect_equal(object, wanted);
    undo(second, object, one);
    json_auto_t *empty = parsed("{'spec': {'taints': []}}");
    expect_equal(object, empty);
}

/* A server fills in defaults; what we wrote is there all the same. */
static void what_a_server_fills_in_changes_nothing(void **state)
{
    (void)state;
    json_auto_t *before = parsed("{'c': [{'name': 'x'}]}");
    json_auto_t *after = parsed("{'c': [{'name': 'x', 'probe': {'tcpSocket': {'port': 1}}}]}");
    json_auto_t *parts = difference_between(before, after);
    json_auto_t *now =
        parsed("{'c': [{'name': 'x', 'probe': {'tcpSocket': {'port': 1}, 'period': 10}}]}");
    assert_true(difference_part_holds(json_array_get(parts, 0), now));
}

/* A server leaves out what is empty. */
static void an_emptied_list_may_be_gone(void **state)
{
    (void)state;
    static const char *const texts[] = {"{'l': [{'name': 'x'}]}", "{'l': ['x']}"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        json_auto_t *before = parsed(texts[i]);
        json_auto_t *after = parsed("{'l': []}");
        json_auto_t *now = parsed("{}");
        json_auto_t *parts = difference_between(before, after);
        assert_true(difference_part_holds(json_array_get(parts, 0), now));
        undo(parts, now, before);
        expect_equal(now, before);
    }
}

static void what_a_server_filled_in_goes_too(void **state)
{
    (void)state;
    json_auto_t *before = parsed("{'c': [{'name': 'x'}]}");
    json_auto_t *after = parsed("{'c': [{'name': 'x', 'probe': {'port': 1}}]}");
    json_auto_t *now = parsed("{'c': [{'name': 'x', 'probe': {'port': 1, 'period': 10}}]}");
    json_auto_t *parts = difference_between(before, after);
    undo(parts, now, before);
    expect_equal(now, before);
}

static void a_removed_named_element_comes_back_in_its_place(void **state)
{
    (void)state;
    json_auto_t *before = parsed("{'l': [{'name': 'a'}, {'name': 'b'}, {'name': 'c'}]}");
    json_auto_t *after = parsed("{'l': [{'name': 'a'}, {'name': 'c'}]}");
    json_auto_t *parts = difference_between(before, after);
    json_auto_t *now = json_deep_copy(after);
    undo(parts, now, before);
    expect_equal(now, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_difference_leads_there_and_back),
        cmocka_unit_test(equal_objects_have_no_difference),
        cmocka_unit_test(what_others_changed_since_stays),
        cmocka_unit_test(a_value_that_somebody_replaced_is_left_alone),
        cmocka_unit_test(two_taints_are_undone_in_any_order),
        cmocka_unit_test(what_a_server_fills_in_changes_nothing),
        cmocka_unit_test(an_emptied_list_may_be_gone),
        cmocka_unit_test(what_a_server_filled_in_goes_too),
        cmocka_unit_test(a_removed_named_element_comes_back_in_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
