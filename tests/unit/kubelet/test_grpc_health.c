#include "services/cluster/env/kubelet/grpc_health.h"

#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

/* What a server of gRPC sends: its settings, headers, a message and trailers. */
#define SETTINGS       "\0\0\6\4\0\0\0\0\0\0\3\0\0\0\144"
#define SETTINGS_ACK   "\0\0\0\4\1\0\0\0\0"
#define PING           "\0\0\10\6\0\0\0\0\0abcdefgh"
#define HEADERS        "\0\0\1\1\4\0\0\0\1\210"
#define DATA(status)   "\0\0\7\0\0\0\0\0\1\0\0\0\0\2\10" status
#define PADDED(status) "\0\0\12\0\10\0\0\0\1\2\0\0\0\0\2\10" status "\0\0"
#define TRAILERS       "\0\0\1\1\5\0\0\0\1\210"
#define RESET          "\0\0\4\3\0\0\0\0\1\0\0\0\2"

static uint8_t s_reply[1024];
static size_t s_reply_size;

/* In pieces of so many bytes. */
static void feed(grpc_answer_t *answer, const char *bytes, size_t size, size_t piece)
{
    s_reply_size = 0;
    for (size_t at = 0; at < size; at += piece)
        s_reply_size += grpc_answer_feed(answer, (const uint8_t *)bytes + at,
            size - at < piece ? size - at : piece, s_reply + s_reply_size);
}

#define FEED(answer, text, piece) feed(answer, text, sizeof(text) - 1, piece)

static void a_serving_answer_is_read(void **state)
{
    (void)state;
    grpc_answer_t answer = {0};
    FEED(&answer, SETTINGS HEADERS DATA("\1") TRAILERS, 4096);
    assert_true(answer.is_over);
    assert_string_equal(grpc_answer_status(&answer), "SERVING");
}

static void an_answer_may_come_byte_by_byte(void **state)
{
    (void)state;
    grpc_answer_t answer = {0};
    FEED(&answer, SETTINGS HEADERS PADDED("\2") TRAILERS, 1);
    assert_true(answer.is_over);
    assert_string_equal(grpc_answer_status(&answer), "NOT_SERVING");
}

static void settings_and_pings_are_acknowledged(void **state)
{
    (void)state;
    grpc_answer_t answer = {0};
    FEED(&answer, SETTINGS SETTINGS_ACK PING, 1);
    assert_int_equal(s_reply_size, 9 + 17);
    assert_memory_equal(s_reply, "\0\0\0\4\1\0\0\0\0\0\0\10\6\1\0\0\0\0abcdefgh", 26);
    assert_false(answer.is_over);
}

static void trailers_alone_are_no_status(void **state)
{
    (void)state;
    grpc_answer_t answer = {0};
    FEED(&answer, SETTINGS TRAILERS, 7);
    assert_true(answer.is_over);
    assert_null(grpc_answer_status(&answer));
}

static void a_reset_is_no_status(void **state)
{
    (void)state;
    grpc_answer_t answer = {0};
    FEED(&answer, SETTINGS RESET, 7);
    assert_true(answer.is_over);
    assert_null(grpc_answer_status(&answer));
}

static void a_server_of_something_else_is_over_at_once(void **state)
{
    (void)state;
    grpc_answer_t answer = {0};
    FEED(&answer, "HTTP/1.1 400 Bad Request\r\n\r\n", 4096);
    assert_true(answer.is_over);
    assert_null(grpc_answer_status(&answer));
}

/* As nghttp2 has read it: 3 headers by number, then the path, in a frame that ends them. */
static void the_question_names_the_service(void **state)
{
    (void)state;
    size_t size = 0;
    uint8_t *question = grpc_health_question("10.244.1.2:5000", "readiness", &size);
    assert_int_equal(size, 166);
    assert_memory_equal(question, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    assert_memory_equal(question + size - 16, "\0\0\0\0\13\12\11readiness", 16);
    free(question);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_serving_answer_is_read),
        cmocka_unit_test(an_answer_may_come_byte_by_byte),
        cmocka_unit_test(settings_and_pings_are_acknowledged),
        cmocka_unit_test(trailers_alone_are_no_status),
        cmocka_unit_test(a_reset_is_no_status),
        cmocka_unit_test(a_server_of_something_else_is_over_at_once),
        cmocka_unit_test(the_question_names_the_service),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
