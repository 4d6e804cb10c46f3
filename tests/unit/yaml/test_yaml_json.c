#include "base/auto.h"
#include "tests/support/test.h"
#include "yaml/yaml_json.h"

#include <string.h>

static void expect(const char *yaml, const char *json)
{
    json_auto_t *got = NULL;
    json_auto_t *expected = json_loads(json, 0, NULL);
    err_t err = {0};
    if (yaml_json_parse("a.yaml", yaml, strlen(yaml), &got, &err) < 0)
        fail_msg("%s", err.text);
    AUTO_FREE char *text = json_dumps(got, 0);
    if (!json_equal(got, expected))
        fail_msg("got %s", text);
}

static void expect_error(const char *yaml, const char *text)
{
    json_t *got = NULL;
    err_t err = {0};
    assert_int_equal(yaml_json_parse("a.yaml", yaml, strlen(yaml), &got, &err), -ERR_INVALID);
    assert_string_equal(err.text, text);
}

static void scalars_have_the_types_of_the_core_schema(void **state)
{
    (void)state;
    expect("[1, -2, 0x1f, 1.5, 1e3, true, off, ~, 'no', 1.2.3, 10Mi, 2024-01-01]",
        "[[1, -2, 31, 1.5, 1000.0, true, false, null, \"no\", \"1.2.3\", \"10Mi\", "
        "\"2024-01-01\"]]");
}

static void every_document_counts_but_the_empty_ones(void **state)
{
    (void)state;
    expect("---\na: 1\n---\n---\nb:\n- x\n- c: |\n    t\n",
        "[{\"a\": 1}, {\"b\": [\"x\", {\"c\": \"t\\n\"}]}]");
}

static void aliases_stand_for_what_they_name(void **state)
{
    (void)state;
    expect("a: &x {k: 1}\nb: *x\n", "[{\"a\": {\"k\": 1}, \"b\": {\"k\": 1}}]");
}

static void mistakes_are_told_with_their_place(void **state)
{
    (void)state;
    expect_error("a: 1\na: 2\n", "a.yaml:2:1: key 'a' comes twice");
    expect_error("a: [1\n", "a.yaml:2:1: did not find expected ',' or ']'");
    expect_error("[a]: 1\n", "a.yaml:1:1: a key must be a string");
}

static void an_alias_that_holds_itself_is_refused(void **state)
{
    (void)state;
    expect_error("&a [*a]\n", "a.yaml:1:1: nested too deeply");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_have_the_types_of_the_core_schema),
        cmocka_unit_test(every_document_counts_but_the_empty_ones),
        cmocka_unit_test(aliases_stand_for_what_they_name),
        cmocka_unit_test(mistakes_are_told_with_their_place),
        cmocka_unit_test(an_alias_that_holds_itself_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
