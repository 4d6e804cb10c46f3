/* Replies of models, whole and in pieces. */
#include "base/auto.h"
#include "chat/chat.h"
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

static void expect(const char *body, const char *message, int64_t tokens_out, bool is_cut)
{
    chat_reply_t reply;
    err_t err = {0};
    if (chat_parse(body, strlen(body), &reply, &err) < 0)
        fail_msg("%s", err.text);
    AUTO_FREE char *text = json_dumps(reply.message, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text, message);
    assert_int_equal(reply.tokens_out, tokens_out);
    assert_int_equal(reply.is_cut, is_cut);
    chat_reply_done(&reply);
}

static void expect_failure(const char *body, const char *part)
{
    chat_reply_t reply;
    err_t err = {0};
    assert_int_equal(chat_parse(body, strlen(body), &reply, &err), -ERR_IO);
    if (!strstr(err.text, part))
        fail_msg("'%s' is not in '%s'", part, err.text);
}

static void a_whole_reply_is_read(void **state)
{
    (void)state;
    expect("{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":\"hi\",\"x\":1},"
           "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}",
        "{\"content\":\"hi\",\"role\":\"assistant\"}", 2, false);
}

static void a_stream_is_put_together(void **state)
{
    (void)state;
    expect(": comment\r\n"
           "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"a\"}}]}\r\n\r\n"
           "data:{\"choices\":[{\"delta\":{\"content\":\"b\"}}]}\n\n"
           "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\n\n"
           "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":9}}\n\n"
           "data: [DONE]\n\n",
        "{\"content\":\"ab\",\"role\":\"assistant\"}", 9, true);
}

static void pieces_of_calls_are_put_together(void **state)
{
    (void)state;
    expect(
        "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c1\",\"function\":"
        "{\"name\":\"exec_shell\",\"arguments\":\"{\\\"com\"}}]}}]}\n"
        "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":"
        "{\"arguments\":\"mand\\\":1}\"}}]},\"finish_reason\":\"tool_calls\"}]}\n",
        "{\"content\":null,\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"arguments\":"
        "\"{\\\"command\\\":1}\",\"name\":\"exec_shell\"},\"id\":\"c1\",\"type\":\"function\"}]}",
        0, false);
}

static void a_refusal_is_what_the_model_said(void **state)
{
    (void)state;
    expect("{\"choices\":[{\"message\":{\"content\":null,\"refusal\":\"no\"}}]}",
        "{\"content\":\"no\",\"role\":\"assistant\"}", 0, false);
}

static void what_is_not_whole_is_a_failure(void **state)
{
    (void)state;
    expect_failure("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n", "broke off");
    expect_failure("", "broke off");
    expect_failure("<html>", "broke off");
    expect_failure("data: {\"choi", "no JSON");
    expect_failure("data: {\"error\":{\"message\":\"full\"}}\n", "broke off: full");
    expect_failure("{\"choices\":[]}", "no message");
    expect_failure("[]", "no message");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_reply_is_read),
        cmocka_unit_test(a_stream_is_put_together),
        cmocka_unit_test(pieces_of_calls_are_put_together),
        cmocka_unit_test(a_refusal_is_what_the_model_said),
        cmocka_unit_test(what_is_not_whole_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
