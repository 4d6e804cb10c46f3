#include "base/auto.h"
#include "base/mem.h"
#include "schema/settings.h"
#include "tests/support/test.h"

#include <unistd.h>

static const struct argp_option table[] = {
    {"config", 'c', "FILE", 0, NULL, 0},
    {"results", 'r', "FOLDER", 0, NULL, 0},
    {"verbose", 'v', NULL, 0, NULL, 0},
    {0},
};

static settings_t *load(const char *text, err_t *err)
{
    char name[] = "/tmp/settings-test-XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    settings_t *self = settings_new(name, err);
    unlink(name);
    return self;
}

/* Appends "KEY=VALUE " to a text. */
static int take(void *arg, int key, char *value, err_t *err)
{
    char *taken = arg;
    size_t length = strlen(taken);
    snprintf(taken + length, 100 - length, "%c=%s ", key, value ? value : "-");
    return value && strcmp(value, "bad") == 0 ? err_set(err, ERR_INVALID, "that is bad") : 0;
}

static void expect_taken(const char *text, const char *expected)
{
    char taken[100] = "";
    err_t err = {0};
    AUTO(settings_destroy) settings_t *self = load(text, &err);
    assert_non_null(self);
    assert_int_equal(settings_take(self, "orchestrator", table, take, taken, &err), 0);
    assert_string_equal(taken, expected);
}

/* The sentence without the file's name, which differs each time. */
static void expect_refusal(const char *text, const char *expected)
{
    static const char *const programs[] = {"broker", "orchestrator"};
    char taken[100] = "";
    err_t err = {0};
    AUTO(settings_destroy) settings_t *self = load(text, &err);
    assert_true(!self || settings_check(self, programs, 2, &err) < 0
                || settings_take(self, "orchestrator", table, take, taken, &err) < 0);
    assert_int_equal(err.code, ERR_INVALID);
    assert_string_equal(strchr(err.text, ':') + 1, expected);
}

static void settings_are_taken_as_options(void **state)
{
    (void)state;
    expect_taken("orchestrator: {results: /x, verbose: true}\n", "r=/x v=- ");
    expect_taken("orchestrator: {verbose: false}\n", "");
}

static void what_is_for_others_is_left_to_them(void **state)
{
    (void)state;
    expect_taken("broker: {listen: x}\n", "");
    expect_taken("orchestrator:\n", "");
}

static void names_that_do_not_exist_are_refused(void **state)
{
    (void)state;
    expect_refusal("orchestator: {}\n",
        "1:1: there is no program 'orchestator'; did you mean 'orchestrator'?");
    expect_refusal("xyzzyxyz: {}\n",
        "1:1: there is no program 'xyzzyxyz'; expected one of: broker, orchestrator");
    expect_refusal("orchestrator:\n  reslts: x\n",
        "2:3: there is no setting 'reslts'; did you mean 'results'?");
    expect_refusal("orchestrator:\n  config: x\n",
        "2:3: there is no setting 'config'; expected one of: results, verbose");
}

static void values_of_the_wrong_form_are_refused(void **state)
{
    (void)state;
    expect_refusal("[a]\n", "1:1: expected a mapping of programs");
    expect_refusal("orchestrator: x\n", "1:15: expected a mapping of settings");
    expect_refusal("orchestrator: [x]\n", "1:15: expected a mapping of settings");
    expect_refusal("? [a]\n: b\n", "1:3: expected a name");
    expect_refusal("orchestrator:\n  results:\n", "2:11: expected a single value for 'results'");
    expect_refusal("orchestrator:\n  results: {}\n", "2:12: expected a single value for 'results'");
    expect_refusal("orchestrator:\n  verbose: maybe\n", "2:12: expected true or false");
    expect_refusal("orchestrator:\n  results: bad\n", "2:12: that is bad");
}

static void nothing_is_said_twice(void **state)
{
    (void)state;
    expect_refusal("broker:\nbroker:\n", "2:1: 'broker' is there twice");
    expect_refusal("orchestrator:\n  results: a\n  results: b\n", "3:3: 'results' is there twice");
}

static void a_file_that_is_not_yaml_is_refused(void **state)
{
    (void)state;
    expect_refusal("", "1:1: the file is empty");
    expect_refusal(
        "a: [b\n", "2:1: not YAML: did not find expected ',' or ']' while parsing a flow sequence");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_are_taken_as_options),
        cmocka_unit_test(what_is_for_others_is_left_to_them),
        cmocka_unit_test(names_that_do_not_exist_are_refused),
        cmocka_unit_test(values_of_the_wrong_form_are_refused),
        cmocka_unit_test(nothing_is_said_twice),
        cmocka_unit_test(a_file_that_is_not_yaml_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
