#include "base/auto.h"
#include "base/mem.h"
#include "schema/schema.h"
#include "tests/support/test.h"

#include <stdbool.h>
#include <unistd.h>

typedef struct item {
    char *name;
    uint32_t size;
    int color;
} item_t;

typedef struct box {
    item_t *items;
    uint32_t item_count;
    bool is_open;
} box_t;

static const cyaml_strval_t colors[] = {{"red", 0}, {"blue", 1}};

static const cyaml_schema_field_t item_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, item_t, name, 1, CYAML_UNLIMITED),
    CYAML_FIELD_UINT("size", CYAML_FLAG_OPTIONAL, item_t, size),
    CYAML_FIELD_ENUM("color", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, item_t, color, colors, 2),
    CYAML_FIELD_END};

static const cyaml_schema_value_t item_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, item_t, item_fields)};

static const cyaml_schema_field_t box_fields[] = {
    CYAML_FIELD_SEQUENCE_COUNT(
        "items", CYAML_FLAG_POINTER, box_t, items, item_count, &item_schema, 1, 3),
    CYAML_FIELD_BOOL("is_open", CYAML_FLAG_OPTIONAL, box_t, is_open), CYAML_FIELD_END};

static const cyaml_schema_value_t box_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, box_t, box_fields)};

static const char path[] = "no-such-file.yaml";

static int load(const char *text, box_t **box_p, err_t *err)
{
    char *name = xstrdup("/tmp/schema-test-XXXXXX");
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    int rc = schema_load(name, &box_schema, (void **)box_p, err);
    unlink(name);
    free(name);
    return rc;
}

/* The sentence without the file's name, which differs each time. */
static void expect_refusal(const char *text, const char *expected)
{
    err_t err = {0};
    box_t *box = NULL;
    assert_int_equal(load(text, &box, &err), -ERR_INVALID);
    assert_null(box);
    const char *rest = strchr(err.text, ':');
    assert_non_null(rest);
    assert_string_equal(rest + 1, expected);
}

static void a_right_file_becomes_structs(void **state)
{
    (void)state;
    box_t *box = NULL;
    assert_int_equal(
        load("items: [{name: a, size: 7}, {name: b, color: blue}]\nis_open: true\n", &box, NULL),
        0);
    assert_int_equal(box->item_count, 2);
    assert_string_equal(box->items[0].name, "a");
    assert_int_equal(box->items[0].size, 7);
    assert_int_equal(box->items[1].color, 1);
    assert_true(box->is_open);
    schema_free(&box_schema, box);
}

static void an_unknown_key_is_named_with_its_place_and_the_known_ones(void **state)
{
    (void)state;
    expect_refusal("items:\n- name: a\n  syze: 3\n",
        "3:3: 'items[0]': unknown key 'syze', expected one of: name, size, color");
}

static void a_missing_key_is_named_with_the_place_of_its_mapping(void **state)
{
    (void)state;
    expect_refusal("items:\n- name: a\n- size: 3\n", "3:3: 'items[1]': key 'name' is missing");
}

static void a_key_given_twice_is_refused(void **state)
{
    (void)state;
    expect_refusal(
        "items: [{name: a}]\nis_open: true\nis_open: false\n", "3:1: key 'is_open' is there twice");
}

static void a_word_outside_an_enum_is_answered_with_the_words_within(void **state)
{
    (void)state;
    expect_refusal("items:\n- {name: a, color: green}\n",
        "2:20: 'items[0].color': 'green' is not one of: red, blue");
}

static void a_value_of_another_kind_is_refused(void **state)
{
    (void)state;
    expect_refusal("items: 4\n", "1:8: 'items': expected a list, not text");
    expect_refusal("items: [x]\n", "1:9: 'items[0]': expected a mapping, not text");
    expect_refusal(
        "items: [{name: [a]}]\n", "1:16: 'items[0].name': expected a single value, not a list");
    expect_refusal("- a\n", "1:1: expected a mapping, not a list");
}

static void a_number_out_of_range_is_refused(void **state)
{
    (void)state;
    expect_refusal("items: [{name: a, size: -1}]\n", "1:25: 'items[0].size': -1 is below 0");
    expect_refusal(
        "items: [{name: a, size: 4294967296}]\n", "1:25: 'items[0].size': 4294967296 is too large");
    expect_refusal(
        "items: [{name: a, size: 3x}]\n", "1:25: 'items[0].size': '3x' is not a whole number");
}

static void a_list_of_the_wrong_length_is_refused(void **state)
{
    (void)state;
    expect_refusal("items: []\n", "1:8: 'items': expected at least 1 of them, not 0");
}

static void broken_yaml_is_refused_with_its_place(void **state)
{
    (void)state;
    err_t err = {0};
    box_t *box = NULL;
    assert_int_equal(load("items: [{name: a\nis_open: true\n", &box, &err), -ERR_INVALID);
    assert_non_null(strstr(err.text, ":2:8: not YAML: "));
    expect_refusal("", "1:1: the file is empty");
}

static void a_file_that_is_not_there_is_an_io_error(void **state)
{
    (void)state;
    err_t err = {0};
    void *box = NULL;
    assert_int_equal(schema_load(path, &box_schema, &box, &err), -ERR_IO);
    assert_non_null(strstr(err.text, "No such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_right_file_becomes_structs),
        cmocka_unit_test(an_unknown_key_is_named_with_its_place_and_the_known_ones),
        cmocka_unit_test(a_missing_key_is_named_with_the_place_of_its_mapping),
        cmocka_unit_test(a_key_given_twice_is_refused),
        cmocka_unit_test(a_word_outside_an_enum_is_answered_with_the_words_within),
        cmocka_unit_test(a_value_of_another_kind_is_refused),
        cmocka_unit_test(a_number_out_of_range_is_refused),
        cmocka_unit_test(a_list_of_the_wrong_length_is_refused),
        cmocka_unit_test(broken_yaml_is_refused_with_its_place),
        cmocka_unit_test(a_file_that_is_not_there_is_an_io_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
