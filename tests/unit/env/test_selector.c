#include "services/cluster/env/selector.h"

#include "base/auto.h"

#include "tests/support/test.h"

#include <string.h>

static bool picks(const char *text, const char *labels_text)
{
    json_auto_t *labels = json_loads(labels_text, 0, NULL);
    AUTO(selector_destroy) selector_t *selector = selector_parse(text, NULL);
    assert_non_null(selector);
    return selector_matches(selector, labels);
}

static bool picks_field(const char *text, const char *object_text)
{
    json_auto_t *object = json_loads(object_text, 0, NULL);
    AUTO(selector_destroy) selector_t *selector = selector_parse_fields(text, NULL);
    assert_non_null(selector);
    return selector_matches_fields(selector, object);
}

static void the_empty_selector_picks_everything(void **state)
{
    (void)state;
    assert_true(picks("", "{}"));
    assert_true(picks_field("", "{}"));
}

static void all_requirements_must_hold(void **state)
{
    (void)state;
    assert_true(picks("app=web,tier in (a, b),!old", "{\"app\":\"web\",\"tier\":\"b\"}"));
    assert_false(picks("app=web,tier in (a,b)", "{\"app\":\"web\",\"tier\":\"c\"}"));
    assert_false(picks("!app", "{\"app\":\"\"}"));
    assert_true(picks("app", "{\"app\":\"\"}"));
    assert_true(picks("app==", "{\"app\":\"\"}"));
}

static void an_absent_label_is_unequal_to_everything(void **state)
{
    (void)state;
    assert_true(picks("app!=web", "{}"));
    assert_true(picks("app notin (web)", "{}"));
    assert_false(picks("app=web", "{}"));
}

static void a_missing_field_is_the_empty_string(void **state)
{
    (void)state;
    assert_true(picks_field("spec.nodeName=", "{\"spec\":{}}"));
    assert_false(picks_field("spec.nodeName!=", "{\"spec\":{}}"));
    assert_true(picks_field(
        "spec.unschedulable=true,metadata.name!=a", "{\"spec\":{\"unschedulable\":true}}"));
}

static void nonsense_is_refused_in_the_servers_words(void **state)
{
    err_t err = {0};
    (void)state;
    assert_null(selector_parse("app in web", &err));
    assert_string_equal(err.text, "unable to parse requirement: found 'web', expected: '('");
    assert_null(selector_parse("a=b,", &err));
    assert_null(selector_parse_fields("nonsense", &err));
    assert_string_equal(err.text, "invalid selector: 'nonsense'; can't understand 'nonsense'");
}

static void a_selector_object_means_what_its_text_means(void **state)
{
    json_auto_t *object = json_loads("{\"matchLabels\":{\"app\":\"web\"},\"matchExpressions\":"
                                     "[{\"key\":\"tier\",\"operator\":\"NotIn\",\"values\":"
                                     "[\"db\"]}]}",
        0, NULL);
    json_auto_t *web = json_loads("{\"app\":\"web\"}", 0, NULL);
    json_auto_t *database = json_loads("{\"app\":\"web\",\"tier\":\"db\"}", 0, NULL);
    AUTO(selector_destroy) selector_t *selector = selector_new(object, NULL);
    (void)state;
    assert_true(selector_matches(selector, web));
    assert_false(selector_matches(selector, database));
}

static void no_selector_object_picks_nothing(void **state)
{
    json_auto_t *labels = json_loads("{\"app\":\"web\"}", 0, NULL);
    json_auto_t *none = json_object();
    AUTO(selector_destroy) selector_t *nothing = selector_new(NULL, NULL);
    AUTO(selector_destroy) selector_t *everything = selector_new(none, NULL);
    (void)state;
    assert_false(selector_matches(nothing, labels));
    assert_false(selector_matches(nothing, NULL));
    assert_true(selector_matches(everything, labels));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_empty_selector_picks_everything),
        cmocka_unit_test(all_requirements_must_hold),
        cmocka_unit_test(an_absent_label_is_unequal_to_everything),
        cmocka_unit_test(a_missing_field_is_the_empty_string),
        cmocka_unit_test(nonsense_is_refused_in_the_servers_words),
        cmocka_unit_test(a_selector_object_means_what_its_text_means),
        cmocka_unit_test(no_selector_object_picks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
