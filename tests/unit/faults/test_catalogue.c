#include "base/auto.h"
#include "base/mem.h"
#include "faults/catalogue.h"
#include "faults/target.h"
#include "tests/support/test.h"

static char text[sizeof(((err_t *)NULL)->text)];

/* Why a fault cannot be asked for so, or "". */
static const char *ask(const char *fault, const char *target, const char *parameters)
{
    err_t err = {0};
    json_auto_t *json = json_loads(parameters, 0, NULL);
    const fault_spec_t *spec = fault_spec_find(fault, &err);
    if (spec)
        (void)fault_spec_check(
            spec, &target, target ? 1 : 0, json, &err); /* its text is looked at */
    return strcpy(text, err.code ? err.text : "");
}

static void a_fault_that_can_be_asked_for_is_right(void **state)
{
    (void)state;
    assert_string_equal(ask("wrong_target_port", "geo", "{}"), "");
    assert_string_equal(ask("wrong_target_port", "geo", "{\"port\": \"8080\"}"), "");
    assert_string_equal(ask("wrong_target_port", "random:role:cache", "{\"port\": 8080}"), "");
    assert_string_equal(ask("noop", NULL, "{}"), "");
}

static void an_unknown_fault_is_answered_with_the_nearest(void **state)
{
    (void)state;
    assert_string_equal(ask("wrong_target_prt", "geo", "{}"),
        "there is no fault 'wrong_target_prt'; did you mean 'wrong_target_port'?");
}

static void bounds_are_told(void **state)
{
    (void)state;
    assert_string_equal(ask("wrong_target_port", "geo", "{\"port\": \"70000\"}"),
        "parameter 'port' of the fault 'wrong_target_port' must be a whole number from 1 to 65535, "
        "not '70000'");
    assert_string_equal(ask("wrong_selector", "geo", "{\"suffix\": \"\"}"),
        "parameter 'suffix' of the fault 'wrong_selector' must have 1 to 30 characters, not 0");
    assert_string_equal(ask("wrong_target_port", "geo", "{\"port\": []}"),
        "parameter 'port' of the fault 'wrong_target_port' must be a text or a whole number");
}

static void an_unknown_or_missing_parameter_is_told(void **state)
{
    (void)state;
    assert_string_equal(ask("wrong_target_port", "geo", "{\"prt\": 1}"),
        "the fault 'wrong_target_port' has no parameter 'prt'; did you mean 'port'?");
    assert_string_equal(
        ask("missing_env", "geo", "{}"), "the fault 'missing_env' needs the parameter 'name'");
}

static void targets_are_looked_at(void **state)
{
    (void)state;
    assert_string_equal(ask("wrong_target_port", NULL, "{}"),
        "the fault 'wrong_target_port' needs a target, a service");
    assert_string_equal(
        ask("noop", "geo", "{}"), "the fault 'noop' has no targets, so 'geo' is too much");
    assert_memory_equal(ask("wrong_target_port", "GEO", "{}"), "the target 'GEO' is no name;", 28);
    assert_memory_equal(ask("wrong_target_port", "label:app", "{}"),
        "the target 'label:app' has no KEY=VALUE;", 40);
}

static void expect_target(const char *word, bool is_random, const char *name, const char *labels)
{
    target_t target;
    assert_int_equal(target_parse(word, &target, NULL), 0);
    assert_int_equal(target.is_random, is_random);
    assert_string_equal(target.name ? target.name : "-", name);
    assert_string_equal(target.labels ? target.labels : "-", labels);
    target_done(&target);
}

static void targets_are_names_labels_roles_or_random(void **state)
{
    (void)state;
    expect_target("geo", false, "geo", "-");
    expect_target("label:app=geo", false, "-", "app=geo");
    expect_target("role:database", false, "-", "app.kubernetes.io/component=database");
    expect_target("random", true, "-", "");
    expect_target("random:role:cache", true, "-", "app.kubernetes.io/component=cache");
}

static void every_default_keeps_its_bounds(void **state)
{
    (void)state;
    size_t count;
    const fault_spec_t *specs = fault_specs(&count);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < specs[i].parameter_count; k++) {
            const fault_parameter_t *parameter = &specs[i].parameters[k];
            err_t err = {0};
            json_auto_t *usual = json_string(parameter->usual ? parameter->usual : "1");
            if (fault_spec_check_parameter(&specs[i], parameter->name, usual, &err) < 0)
                fail_msg("%s", err.text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_that_can_be_asked_for_is_right),
        cmocka_unit_test(an_unknown_fault_is_answered_with_the_nearest),
        cmocka_unit_test(bounds_are_told),
        cmocka_unit_test(an_unknown_or_missing_parameter_is_told),
        cmocka_unit_test(targets_are_looked_at),
        cmocka_unit_test(targets_are_names_labels_roles_or_random),
        cmocka_unit_test(every_default_keeps_its_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
