/* The framing of SPDY/3.1, against a client written here. */
#include "services/cluster/env/api/spdy.h"

#include "services/cluster/env/api/buffer.h"
#include "services/cluster/env/api/spdy_headers.h"

#include "base/mem.h"

#include "tests/support/test.h"

#include <jansson.h>

typedef struct world {
    spdy_t *spdy;
    z_stream packer; /* the client's */
    buffer_t heard;  /* what the server was told */
    buffer_t sent;   /* what it sent */
} world_t;

/* ---- the server's side ---------------------------------------------------------------------- */

static void on_send(void *arg, const void *bytes, size_t size)
{
    buffer_add(&((world_t *)arg)->sent, bytes, size);
}

static void on_open(void *arg, uint32_t id, const json_t *headers)
{
    world_t *self = arg;
    buffer_format(
        &self->heard, "open %u %s;", id, json_string_value(json_object_get(headers, "streamtype")));
    spdy_accept(self->spdy, id);
}

static void on_data(void *arg, uint32_t id, const void *bytes, size_t size)
{
    buffer_format(&((world_t *)arg)->heard, "%u:%.*s;", id, (int)size, (const char *)bytes);
}

static void on_end(void *arg, uint32_t id)
{
    buffer_format(&((world_t *)arg)->heard, "end %u;", id);
}

static void on_reset(void *arg, uint32_t id)
{
    buffer_format(&((world_t *)arg)->heard, "reset %u;", id);
}

static const spdy_events_t events = {.send = on_send,
    .on_open = on_open,
    .on_data = on_data,
    .on_end = on_end,
    .on_reset = on_reset};

static int setup(void **state)
{
    world_t *self = xcalloc(1, sizeof(*self));
    self->spdy = spdy_new(&events, self);
    deflateInit(&self->packer, Z_BEST_COMPRESSION);
    deflateSetDictionary(&self->packer, (const Bytef *)spdy_dictionary, SPDY_DICTIONARY_SIZE);
    *state = self;
    return 0;
}

static int teardown(void **state)
{
    world_t *self = *state;
    spdy_destroy(&self->spdy);
    deflateEnd(&self->packer);
    buffer_done(&self->heard);
    buffer_done(&self->sent);
    free(self);
    return 0;
}

/* ---- the client's side ---------------------------------------------------------------------- */

static void add_number(buffer_t *out, uint32_t number)
{
    uint8_t bytes[] = {
        (uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};
    buffer_add(out, bytes, sizeof(bytes));
}

static void add_text(buffer_t *out, const char *text)
{
    add_number(out, (uint32_t)strlen(text));
    buffer_add_text(out, text);
}

/* A SYN_STREAM with one header. */
static void add_open(world_t *self, buffer_t *out, uint32_t id, int flags, const char *type)
{
    uint8_t block[1024];
    buffer_t plain = {0};
    add_number(&plain, 1);
    add_text(&plain, "streamtype");
    add_text(&plain, type);
    self->packer.next_in = (Bytef *)plain.bytes;
    self->packer.avail_in = (uInt)plain.size;
    self->packer.next_out = block;
    self->packer.avail_out = sizeof(block);
    assert_int_equal(deflate(&self->packer, Z_SYNC_FLUSH), Z_OK);
    size_t size = sizeof(block) - self->packer.avail_out;
    add_number(out, 0x80030001U);
    add_number(out, (uint32_t)flags << 24 | (uint32_t)(10 + size));
    add_number(out, id);
    add_number(out, 0);
    buffer_add(out, "\0\0", 2);
    buffer_add(out, block, size);
    buffer_done(&plain);
}

static void add_data(buffer_t *out, uint32_t id, int flags, const char *text)
{
    add_number(out, id);
    add_number(out, (uint32_t)flags << 24 | (uint32_t)strlen(text));
    buffer_add_text(out, text);
}

static void deliver(world_t *self, buffer_t *bytes, size_t piece)
{
    for (size_t at = 0; at < bytes->size; at += piece) {
        size_t size = bytes->size - at < piece ? bytes->size - at : piece;
        assert_int_equal(spdy_receive(self->spdy, bytes->bytes + at, size, NULL), 0);
    }
    buffer_done(bytes);
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void streams_open_carry_bytes_and_end(void **state)
{
    world_t *self = *state;
    buffer_t bytes = {0};
    add_open(self, &bytes, 1, 1, "error");
    add_open(self, &bytes, 3, 0, "stdin");
    add_data(&bytes, 3, 0, "hello");
    add_data(&bytes, 3, 1, "");
    deliver(self, &bytes, SIZE_MAX / 2);
    assert_string_equal(self->heard.bytes, "open 1 error;end 1;open 3 stdin;3:hello;end 3;");
}

static void frames_may_be_cut_anywhere(void **state)
{
    world_t *self = *state;
    buffer_t bytes = {0};
    add_open(self, &bytes, 1, 0, "stdin");
    add_data(&bytes, 1, 1, "ab");
    deliver(self, &bytes, 1);
    assert_string_equal(self->heard.bytes, "open 1 stdin;1:a;1:b;end 1;");
}

static void each_stream_is_answered_with_a_block_that_unpacks(void **state)
{
    world_t *self = *state;
    buffer_t bytes = {0};
    z_stream unpacker = {0};
    uint8_t plain[16];
    add_open(self, &bytes, 7, 0, "stdout");
    deliver(self, &bytes, SIZE_MAX / 2);
    assert_memory_equal(self->sent.bytes, "\x80\x03\0\2\0\0\0", 7);
    assert_int_equal(self->sent.bytes[7], self->sent.size - 8);
    assert_memory_equal(self->sent.bytes + 8, "\0\0\0\7", 4);
    inflateInit(&unpacker);
    unpacker.next_in = (Bytef *)self->sent.bytes + 12;
    unpacker.avail_in = (uInt)self->sent.size - 12;
    unpacker.next_out = plain;
    unpacker.avail_out = sizeof(plain);
    assert_int_equal(inflate(&unpacker, Z_SYNC_FLUSH), Z_NEED_DICT);
    inflateSetDictionary(&unpacker, (const Bytef *)spdy_dictionary, SPDY_DICTIONARY_SIZE);
    assert_int_equal(inflate(&unpacker, Z_SYNC_FLUSH), Z_OK);
    assert_int_equal(unpacker.total_out, 4);
    assert_memory_equal(plain, "\0\0\0\0", 4);
    inflateEnd(&unpacker);
}

static void pings_are_echoed(void **state)
{
    static const char ping[] = "\x80\x03\0\6\0\0\0\4\0\0\0\x2a";
    world_t *self = *state;
    assert_int_equal(spdy_receive(self->spdy, ping, 12, NULL), 0);
    assert_int_equal(self->sent.size, 12);
    assert_memory_equal(self->sent.bytes, ping, 12);
}

static void bytes_ends_and_resets_are_framed(void **state)
{
    world_t *self = *state;
    spdy_data(self->spdy, 5, "xy", 2);
    spdy_end(self->spdy, 5);
    spdy_reset(self->spdy, 5, SPDY_CANCEL);
    assert_int_equal(self->sent.size, 10 + 8 + 16);
    assert_memory_equal(self->sent.bytes, "\0\0\0\5\0\0\0\2xy\0\0\0\5\1\0\0\0", 18);
    assert_memory_equal(self->sent.bytes + 18, "\x80\x03\0\3\0\0\0\x8\0\0\0\5\0\0\0\5", 16);
}

static void a_reset_is_told(void **state)
{
    world_t *self = *state;
    spdy_receive(self->spdy, "\x80\x03\0\3\0\0\0\x8\0\0\0\5\0\0\0\5", 16, NULL);
    assert_string_equal(self->heard.bytes, "reset 5;");
}

static void expect_refused(world_t *self, const char *bytes, size_t size, const char *why)
{
    err_t err = {0};
    assert_int_equal(spdy_receive(self->spdy, bytes, size, &err), -ERR_INVALID);
    assert_non_null(strstr(err.text, why));
}

static void another_version_is_refused(void **state)
{
    expect_refused(*state, "\x80\x02\0\1\0\0\0\0", 8, "version");
}

static void a_long_control_frame_is_refused(void **state)
{
    expect_refused(*state, "\x80\x03\0\1\0\1\0\0", 8, "65536 bytes");
}

static void a_short_stream_frame_is_refused(void **state)
{
    expect_refused(*state, "\x80\x03\0\1\0\0\0\2xx", 10, "too short");
}

static void broken_headers_are_refused(void **state)
{
    expect_refused(*state, "\x80\x03\0\1\0\0\0\x10\0\0\0\1\0\0\0\0\0\0garbag", 24, "headers");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(streams_open_carry_bytes_and_end, setup, teardown),
        cmocka_unit_test_setup_teardown(frames_may_be_cut_anywhere, setup, teardown),
        cmocka_unit_test_setup_teardown(
            each_stream_is_answered_with_a_block_that_unpacks, setup, teardown),
        cmocka_unit_test_setup_teardown(pings_are_echoed, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_ends_and_resets_are_framed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reset_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(another_version_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_control_frame_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_short_stream_frame_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(broken_headers_are_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
