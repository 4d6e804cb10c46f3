#include "tests/support/test.h"

#include "services/cluster/env/json_path.h"
#include "services/cluster/env/schema/pattern.h"
#include "services/cluster/env/schema/structural.h"

#include "base/auto.h"

#include <stdlib.h>
#include <string.h>

static json_t *parse(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    return value;
}

/* A schema of an object with one field a. */
static json_t *schema_of(const char *field)
{
    json_auto_t *schema = parse(field);
    return json_pack("{s:s, s:{s:O}}", "type", "object", "properties", "a", schema);
}

static void expect_causes(const char *field, const char *object, const char *wanted)
{
    json_auto_t *schema = schema_of(field);
    json_auto_t *value = parse(object);
    causes_t causes;
    causes_init(&causes);
    structural_validate(schema, value, &causes);
    AUTO_FREE char *text = causes_text(&causes);
    assert_string_equal(causes_is_empty(&causes) ? "" : text, wanted);
    causes_done(&causes);
}

static void values_are_told_what_they_should_be(void **state)
{
    (void)state;
    expect_causes("{\"type\":\"integer\"}", "{\"a\":\"x\"}",
        "a: Invalid value: \"string\": a in body must be of type integer: \"string\"");
    expect_causes("{\"type\":\"integer\",\"minimum\":1}", "{\"a\":0}",
        "a: Invalid value: 0: a in body should be greater than or equal to 1");
    expect_causes("{\"type\":\"number\",\"maximum\":1.5,\"exclusiveMaximum\":true}", "{\"a\":1.5}",
        "a: Invalid value: 1.5: a in body should be less than 1.5");
    expect_causes("{\"type\":\"string\",\"enum\":[\"x\",\"y\"]}", "{\"a\":\"z\"}",
        "a: Unsupported value: \"z\": supported values: \"x\", \"y\"");
    expect_causes("{\"type\":\"string\",\"pattern\":\"^[a-z]+$\"}", "{\"a\":\"A\"}",
        "a: Invalid value: \"A\": a in body should match '^[a-z]+$'");
    expect_causes("{\"type\":\"string\",\"maxLength\":2}", "{\"a\":\"abc\"}",
        "a: Too long: may not be longer than 2");
    expect_causes("{\"type\":\"string\",\"format\":\"date-time\"}", "{\"a\":\"abc\"}",
        "a: Invalid value: \"abc\": a in body must be of type date-time: \"abc\"");
    expect_causes("{\"type\":\"array\",\"maxItems\":1,\"items\":{\"type\":\"string\"}}",
        "{\"a\":[\"x\",\"y\"]}", "a: Too many: 2: must have at most 1 items");
    expect_causes(
        "{\"type\":\"object\",\"required\":[\"b\"]}", "{\"a\":{}}", "a.b: Required value");
    expect_causes("{\"x-kubernetes-int-or-string\":true}", "{\"a\":true}",
        "a: Invalid value: \"boolean\": a in body must be of type integer,string: \"boolean\"");
    expect_causes("{\"type\":\"string\",\"nullable\":true}", "{\"a\":null}", "");
}

static void alternatives_are_counted(void **state)
{
    (void)state;
    static const char one_of[] = "{\"type\":\"object\",\"oneOf\":[{\"required\":[\"x\"]},"
                                 "{\"required\":[\"y\"]}]}";
    expect_causes(one_of, "{\"a\":{\"x\":1}}", "");
    expect_causes(one_of, "{\"a\":{\"x\":1,\"y\":1}}",
        "<nil>: Invalid value: \"\": \"a\" must validate one and only one schema (oneOf). Found 2 "
        "valid alternatives");
    expect_causes("{\"type\":\"integer\",\"not\":{\"minimum\":5}}", "{\"a\":7}",
        "<nil>: Invalid value: \"\": \"a\" must not validate the schema (not)");
}

static void lists_that_are_sets_and_maps_have_no_duplicates(void **state)
{
    (void)state;
    expect_causes("{\"type\":\"array\",\"x-kubernetes-list-type\":\"set\"}",
        "{\"a\":[\"x\",\"x\"]}", "a[1]: Duplicate value: \"x\"");
    expect_causes("{\"type\":\"array\",\"x-kubernetes-list-type\":\"map\","
                  "\"x-kubernetes-list-map-keys\":[\"k\"]}",
        "{\"a\":[{\"k\":1},{\"k\":2}]}", "");
}

static void what_a_schema_does_not_know_is_pruned(void **state)
{
    (void)state;
    json_auto_t *schema = schema_of("{\"type\":\"object\",\"properties\":{\"b\":{\"type\":"
                                    "\"array\",\"items\":{\"type\":\"object\"}},\"free\":{\"type\":"
                                    "\"object\",\"x-kubernetes-preserve-unknown-fields\":true}}}");
    json_auto_t *object = parse("{\"kind\":\"K\",\"metadata\":{},\"z\":1,"
                                "\"a\":{\"b\":[{\"c\":1}],\"free\":{\"x\":1}}}");
    json_auto_t *wanted =
        parse("{\"kind\":\"K\",\"metadata\":{},\"a\":{\"b\":[{}],\"free\":{\"x\":1}}}");
    json_auto_t *unknown = json_array();
    json_auto_t *told = parse("[\"unknown field \\\"z\\\"\", \"unknown field \\\"a.b[0].c\\\"\"]");
    structural_prune(schema, object, unknown);
    assert_true(json_equal(object, wanted));
    assert_true(json_equal(unknown, told));
}

static void defaults_go_where_there_is_nothing(void **state)
{
    (void)state;
    json_auto_t *schema =
        schema_of("{\"type\":\"object\",\"default\":{},\"properties\":{\"b\":{\"default\":5},"
                  "\"c\":{\"nullable\":true},\"d\":{\"type\":\"string\"}}}");
    json_auto_t *object = parse("{}");
    json_auto_t *wanted = parse("{\"a\":{\"b\":5}}");
    structural_default(schema, object);
    assert_true(json_equal(object, wanted));
    json_auto_t *nulls = parse("{\"a\":{\"b\":null,\"c\":null,\"d\":null}}");
    json_auto_t *without = parse("{\"a\":{\"b\":5,\"c\":null}}");
    structural_default(schema, nulls);
    assert_true(json_equal(nulls, without));
}

static void a_schema_must_be_structural(void **state)
{
    (void)state;
    json_auto_t *schema = parse("{\"properties\":{\"a\":{\"type\":\"array\"},\"b\":{},"
                                "\"c\":{\"type\":\"string\",\"pattern\":\"(\"}}}");
    causes_t causes;
    causes_init(&causes);
    structural_check(schema, "s", &causes);
    AUTO_FREE char *text = causes_text(&causes);
    assert_string_equal(text,
        "[s.type: Required value: must not be empty at the root, "
        "s.properties[a].items: Required value: must be specified, "
        "s.properties[b].type: Required value: must not be empty for specified object fields, "
        "s.properties[c].pattern: Invalid value: \"(\": must be a valid regular expression, but "
        "isn't]");
    causes_done(&causes);
}

static void patterns_are_those_of_go(void **state)
{
    (void)state;
    assert_int_equal(pattern_match("^\\d+(?:\\.\\d+)?$", "1.5"), PATTERN_MATCH);
    assert_int_equal(pattern_match("^[\\w.\\-]+$", "a_b.c-d"), PATTERN_MATCH);
    assert_int_equal(pattern_match("^[^\\s]+$", "a b"), PATTERN_NO_MATCH);
    assert_int_equal(pattern_match("^[\\^]$", "^"), PATTERN_MATCH);
    assert_int_equal(pattern_match("^a{2,3}?$", "aaa"), PATTERN_MATCH);
    assert_int_equal(pattern_match("(?i)^ABC$", "abc"), PATTERN_MATCH);
    assert_int_equal(pattern_match("^[]a]+$", "a]"), PATTERN_MATCH);
    assert_int_equal(pattern_match("^\\$\\{x\\}$", "${x}"), PATTERN_MATCH);
    assert_int_equal(pattern_match("a(?=b)", "ab"), PATTERN_BAD);
    assert_int_equal(pattern_match("[a", "a"), PATTERN_BAD);
    assert_int_equal(pattern_match("a{99999}", "a"), PATTERN_BAD);
    assert_int_equal(pattern_match("^(a+?|b{2})*c?$", "abbc"), PATTERN_MATCH);
}

/* glibc copies what is repeated: 35 times '+' took all memory. */
static void a_pattern_that_repeats_repetitions_is_bad(void **state)
{
    (void)state;
    assert_int_equal(pattern_match("a++", "a"), PATTERN_BAD);
    assert_int_equal(pattern_match("a{2}{2}", "a"), PATTERN_BAD);
    assert_int_equal(pattern_match("((a{900}){900})", "a"), PATTERN_BAD);
    assert_int_equal(
        pattern_match("((((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+", "a"), PATTERN_BAD);
}

static void expect_path(const char *path, const char *wanted)
{
    json_auto_t *root = parse("{\"a\":{\"b.c\":1,\"l\":[{\"t\":\"x\",\"v\":2},{\"t\":\"y\","
                              "\"v\":3}]}}");
    const json_t *found = json_path_first(root, path);
    AUTO_FREE char *text = found ? json_dumps(found, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    assert_string_equal(text ? text : "", wanted);
}

static void paths_lead_to_their_first_value(void **state)
{
    (void)state;
    expect_path(".a.l[0].v", "2");
    expect_path(".a.l[-1].v", "3");
    expect_path(".a.l[*].t", "\"x\"");
    expect_path(".a.l[?(@.t==\"y\")].v", "3");
    expect_path(".a.l[?(@.v != 2)].t", "\"y\"");
    expect_path(".a['b.c']", "1");
    expect_path(".a.b\\.c", "1");
    expect_path(".a.nope", "");
    assert_false(json_path_is_valid("a.b"));
    assert_false(json_path_is_valid(".a[?(@.b=~1)]"));
    assert_false(json_path_is_valid(".a["));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_told_what_they_should_be),
        cmocka_unit_test(alternatives_are_counted),
        cmocka_unit_test(lists_that_are_sets_and_maps_have_no_duplicates),
        cmocka_unit_test(what_a_schema_does_not_know_is_pruned),
        cmocka_unit_test(defaults_go_where_there_is_nothing),
        cmocka_unit_test(a_schema_must_be_structural),
        cmocka_unit_test(patterns_are_those_of_go),
        cmocka_unit_test(a_pattern_that_repeats_repetitions_is_bad),
        cmocka_unit_test(paths_lead_to_their_first_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
