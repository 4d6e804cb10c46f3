/* The framing of WebSocket: what a client may send, cut anywhere. */
#include "services/cluster/env/api/websocket.h"

#include "base/auto.h"

#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

typedef struct heard {
    char text[256]; /* pieces, '|' after each message */
    char control[256];
    int opcode;
} heard_t;

static void on_piece(void *arg, const void *bytes, size_t size, bool is_last)
{
    heard_t *self = arg;
    strncat(self->text, bytes, size);
    strcat(self->text, is_last ? "|" : "");
}

static void on_control(void *arg, int opcode, const void *bytes, size_t size)
{
    heard_t *self = arg;
    self->opcode = opcode;
    memcpy(self->control, bytes, size);
}

static const websocket_events_t events = {.on_piece = on_piece, .on_control = on_control};

/* first is the frame's first byte; the mask is 1, 2, 3, 4. */
static size_t frame(uint8_t *out, int first, const char *text)
{
    size_t size = strlen(text);
    out[0] = (uint8_t)first;
    out[1] = (uint8_t)(0x80 | size);
    memcpy(out + 2, "\1\2\3\4", 4);
    for (size_t i = 0; i < size; i++)
        out[6 + i] = (uint8_t)(text[i] ^ (char)(1 + i % 4));
    return size + 6;
}

static void messages_come_whole_however_they_are_cut(void **state)
{
    uint8_t bytes[256];
    heard_t heard = {0};
    websocket_t websocket = {0};
    size_t size = frame(bytes, 0x82, "hello");
    size += frame(bytes + size, 0x82, "");
    size += frame(bytes + size, 0x81, "you");
    (void)state;
    for (size_t i = 0; i < size; i++)
        assert_int_equal(websocket_receive(&websocket, bytes + i, 1, &events, &heard, NULL), 0);
    assert_string_equal(heard.text, "hello||you|");
}

static void a_ping_may_come_between_the_parts_of_a_message(void **state)
{
    uint8_t bytes[256];
    heard_t heard = {0};
    websocket_t websocket = {0};
    size_t size = frame(bytes, 0x02, "one ");
    size += frame(bytes + size, 0x89, "ping");
    size += frame(bytes + size, 0x80, "two");
    (void)state;
    assert_int_equal(websocket_receive(&websocket, bytes, size, &events, &heard, NULL), 0);
    assert_string_equal(heard.text, "one two|");
    assert_int_equal(heard.opcode, WEBSOCKET_PING);
    assert_string_equal(heard.control, "ping");
}

static void long_messages_have_long_lengths(void **state)
{
    static uint8_t bytes[70014] = {0x82, 0xff, 0, 0, 0, 0, 0, 1, 0x11, 0x70, 0, 0, 0, 0};
    static heard_t heard;
    websocket_t websocket = {0};
    (void)state;
    assert_int_equal(websocket_receive(&websocket, bytes, sizeof(bytes), &events, &heard, NULL), 0);
    assert_string_equal(heard.text, "|"); /* 70,000 bytes that are 0, and its end */
}

static void expect_refused(const char *bytes, size_t size, const char *why)
{
    err_t err = {0};
    heard_t heard = {0};
    websocket_t websocket = {0};
    assert_int_equal(
        websocket_receive(&websocket, bytes, size, &events, &heard, &err), -ERR_INVALID);
    assert_non_null(strstr(err.text, why));
}

static void what_breaks_the_protocol_is_refused(void **state)
{
    (void)state;
    expect_refused("\x82\x01\0\0\0\0", 6, "not masked");
    expect_refused("\xc2\x80\0\0\0\0", 6, "reserved bits");
    expect_refused("\x83\x80\0\0\0\0", 6, "opcode");
    expect_refused("\x8b\x80\0\0\0\0", 6, "opcode");
    expect_refused("\x09\x80\0\0\0\0", 6, "control frame");
    expect_refused("\x88\xfe\0\x7e\0\0\0\0", 8, "control frame");
    expect_refused("\x80\x80\0\0\0\0", 6, "mixed");
    expect_refused("\x02\x80\0\0\0\0\x82\x80\0\0\0\0", 12, "mixed");
    expect_refused("\x82\xff\xff\0\0\0\0\0\0\0\0\0\0\0", 14, "too large");
}

static void a_servers_frames_have_the_shortest_header(void **state)
{
    uint8_t header[WEBSOCKET_HEADER_MAX];
    (void)state;
    assert_int_equal(websocket_header(WEBSOCKET_BINARY, 125, header), 2);
    assert_memory_equal(header, "\x82\x7d", 2);
    assert_int_equal(websocket_header(WEBSOCKET_CLOSE, 126, header), 4);
    assert_memory_equal(header, "\x88\x7e\x00\x7e", 4);
    assert_int_equal(websocket_header(WEBSOCKET_BINARY, 65536, header), 10);
    assert_memory_equal(header, "\x82\x7f\0\0\0\0\0\1\0\0", 10);
}

/* The example of RFC 6455, section 1.3. */
static void the_key_is_answered(void **state)
{
    (void)state;
    AUTO_FREE char *accept = websocket_accept("dGhlIHNhbXBsZSBub25jZQ==");
    assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_whole_however_they_are_cut),
        cmocka_unit_test(a_ping_may_come_between_the_parts_of_a_message),
        cmocka_unit_test(long_messages_have_long_lengths),
        cmocka_unit_test(what_breaks_the_protocol_is_refused),
        cmocka_unit_test(a_servers_frames_have_the_shortest_header),
        cmocka_unit_test(the_key_is_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
