/* Properties of the parser, over texts made by chance; AIOPSLAB_SEED repeats a run. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/orchestrator/parser.h"
#include "tests/support/test.h"

#include <time.h>

static const char *const actions[] = {"exec_shell", "get_logs", "submit"};

static unsigned seed;

static int take_seed(void **state)
{
    (void)state;
    const char *given = getenv("AIOPSLAB_SEED");
    seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    print_message("AIOPSLAB_SEED=%u\n", seed);
    srandom(seed);
    return 0;
}

/* Letters that are likely to upset a parser, and some that are not. */
static char *any_text(size_t length_max)
{
    static const char letters[] = "ab \n\t\\\\\"\"''()[]{},:=#`$<>|;.0-9_\xc3\xa9";
    size_t length = (size_t)random() % (length_max + 1);
    char *text = xcalloc(1, length + 3);
    for (size_t i = 0; i < length; i++) {
        text[i] = letters[(size_t)random() % (sizeof(letters) - 3)];
        if (random() % 40 == 0 && i + 1 < length) {
            memcpy(text + i, "\xc3\xa9", 2);
            i++;
        }
    }
    return text;
}

/* As a careful agent would write it: quoted, with quotes and backslashes escaped. */
static char *quote(const char *text)
{
    char *quoted = xcalloc(2, strlen(text) + 2);
    char *out = quoted;
    *out++ = '"';
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            *out++ = '\\';
        *out++ = *text;
    }
    *out = '"';
    return quoted;
}

static void expect_argument(const char *name, const char *argument)
{
    AUTO_FREE char *quoted = quote(argument);
    AUTO_FREE char *text = xasprintf("Thinking.\n```\n%s(%s)\n```\n", name, quoted);
    parsed_t parsed;
    char *complaint = NULL;
    assert_int_equal(parser_parse(text, actions, ARRAY_SIZE(actions), &parsed, &complaint), 0);
    assert_string_equal(parsed.name, name);
    assert_string_equal(json_string_value(json_array_get(parsed.args, 0)), argument);
    parser_free(&parsed);
}

static void a_quoted_text_comes_out_as_it_went_in(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        AUTO_FREE char *argument = any_text(40);
        expect_argument("submit", argument);
        expect_argument("exec_shell", argument);
    }
}

static void any_text_is_parsed_or_complained_of(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        AUTO_FREE char *noise = any_text(60);
        AUTO_FREE char *text = xasprintf("```%ssubmit(%s", i % 2 ? "\n" : "", noise);
        parsed_t parsed;
        AUTO_FREE char *complaint = NULL;
        if (parser_parse(text, actions, ARRAY_SIZE(actions), &parsed, &complaint) == 0)
            parser_free(&parsed);
        else
            assert_non_null(complaint);
    }
}

static void a_text_of_ten_megabytes_is_read_in_one_go(void **state)
{
    (void)state;
    const size_t size = 10 << 20;
    AUTO_FREE char *text = xcalloc(1, size + 1);
    memset(text, '`', size);
    parsed_t parsed;
    AUTO_FREE char *complaint = NULL;
    assert_int_equal(parser_parse(text, actions, ARRAY_SIZE(actions), &parsed, &complaint), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quoted_text_comes_out_as_it_went_in),
        cmocka_unit_test(any_text_is_parsed_or_complained_of),
        cmocka_unit_test(a_text_of_ten_megabytes_is_read_in_one_go),
    };
    return cmocka_run_group_tests(tests, take_seed, NULL);
}
