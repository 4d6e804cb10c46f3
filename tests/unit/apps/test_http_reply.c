#include "apps/common/http_reply.h"
#include "base/auto.h"
#include "tests/support/test.h"

#include <string.h>

/* All at once, then byte by byte: the pieces must not matter. */
static void expect(const char *text, int status, const char *body, bool is_kept_alive)
{
    http_reply_t reply;
    http_reply_init(&reply, 1024);
    assert_int_equal(http_reply_feed(&reply, text, strlen(text)), strlen(text));
    assert_true(http_reply_is_complete(&reply));
    assert_int_equal(reply.status, status);
    assert_string_equal(reply.body ? reply.body : "", body);
    assert_int_equal(reply.is_kept_alive, is_kept_alive);
    http_reply_reset(&reply);
    for (const char *c = text; *c; c++)
        assert_int_equal(http_reply_feed(&reply, c, 1), 1);
    assert_true(http_reply_is_complete(&reply));
    assert_string_equal(reply.body ? reply.body : "", body);
    http_reply_done(&reply);
}

static void expect_refused(const char *text)
{
    http_reply_t reply;
    http_reply_init(&reply, 16);
    assert_int_equal(http_reply_feed(&reply, text, strlen(text)), -1);
    http_reply_done(&reply);
}

static void a_body_of_known_length_is_read(void **state)
{
    (void)state;
    expect("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", true);
}

static void chunks_are_joined(void **state)
{
    (void)state;
    expect("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\n"
           "Trailer: t\r\n\r\n",
        200, "hello", true);
}

static void an_empty_answer_is_complete(void **state)
{
    (void)state;
    expect("HTTP/1.1 204 No Content\r\n\r\n", 204, "", true);
    expect("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", 500, "", true);
}

static void an_interim_answer_is_skipped(void **state)
{
    (void)state;
    expect("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nx", 201,
        "x", true);
}

static void a_connection_that_will_close_is_not_kept(void **state)
{
    (void)state;
    expect("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 200, "", false);
    expect("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "", false);
}

static void a_body_without_length_ends_with_the_connection(void **state)
{
    (void)state;
    const char *text = "HTTP/1.1 200 OK\r\n\r\nhello";
    http_reply_t reply;
    http_reply_init(&reply, 1024);
    http_reply_feed(&reply, text, strlen(text));
    assert_false(http_reply_is_complete(&reply));
    assert_true(http_reply_close(&reply));
    assert_string_equal(reply.body, "hello");
    assert_false(reply.is_kept_alive);
    http_reply_done(&reply);
}

static void a_connection_that_breaks_within_a_body_is_noticed(void **state)
{
    (void)state;
    const char *text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel";
    http_reply_t reply;
    http_reply_init(&reply, 1024);
    http_reply_feed(&reply, text, strlen(text));
    assert_false(http_reply_close(&reply));
    http_reply_done(&reply);
}

static void what_follows_an_answer_is_left(void **state)
{
    (void)state;
    const char *text = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n";
    http_reply_t reply;
    http_reply_init(&reply, 1024);
    assert_int_equal(http_reply_feed(&reply, text, strlen(text)), strlen(text) - 17);
    http_reply_done(&reply);
}

static void what_is_not_http_is_refused(void **state)
{
    (void)state;
    expect_refused("SSH-2.0-OpenSSH\r\n");
    expect_refused("HTTP/1.1 2x0 OK\r\n");
    expect_refused("HTTP/1.1 200 OK\r\nno colon\r\n");
    expect_refused("HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n");
    expect_refused("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n");
    expect_refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n");
}

static void a_body_over_the_limit_is_refused(void **state)
{
    (void)state;
    expect_refused("HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n12345678901234567");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_of_known_length_is_read),
        cmocka_unit_test(chunks_are_joined),
        cmocka_unit_test(an_empty_answer_is_complete),
        cmocka_unit_test(an_interim_answer_is_skipped),
        cmocka_unit_test(a_connection_that_will_close_is_not_kept),
        cmocka_unit_test(a_body_without_length_ends_with_the_connection),
        cmocka_unit_test(a_connection_that_breaks_within_a_body_is_noticed),
        cmocka_unit_test(what_follows_an_answer_is_left),
        cmocka_unit_test(what_is_not_http_is_refused),
        cmocka_unit_test(a_body_over_the_limit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
