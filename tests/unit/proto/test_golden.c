/* The vectors in tests/golden/envelopes.json, which the Python client's tests read too. */
#include "base/auto.h"
#include "base/mem.h"
#include "proto/envelope.h"
#include "proto/messages.h"
#include "tests/support/test.h"

#include <string.h>

static size_t from_hex(const char *hex, char *bytes)
{
    size_t size = strlen(hex) / 2;
    for (size_t i = 0; i < size; i++) {
        unsigned value = 0;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &value), 1);
        bytes[i] = (char)value;
    }
    return size;
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static int64_t number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static void expect_same_text(const char *got, const char *expected)
{
    assert_int_equal(!got, !expected);
    if (got)
        assert_string_equal(got, expected);
}

static void expect_envelope(const envelope_t *envelope, const json_t *expected)
{
    static const char *const kinds[] = {"", "request", "reply", "event"};
    assert_string_equal(kinds[envelope->kind], text_of(expected, "kind"));
    assert_int_equal(envelope->time, number_of(expected, "time"));
    assert_int_equal(envelope->deadline, number_of(expected, "deadline"));
    expect_same_text(envelope->id, text_of(expected, "id"));
    expect_same_text(envelope->corr, text_of(expected, "corr"));
    expect_same_text(envelope->type, text_of(expected, "type"));
    expect_same_text(envelope->source, text_of(expected, "source"));
    expect_same_text(envelope->session, text_of(expected, "session"));
    expect_same_text(envelope->trace, text_of(expected, "trace"));
}

/* Decoded, then encoded again from the struct, the body must give the same bytes. */
static void expect_body_survives(const envelope_t *envelope)
{
    const codec_type_t *type = codec_find(envelope->type, strlen(envelope->type));
    assert_non_null(type);
    void *message = NULL;
    err_t err = {0};
    if (codec_decode(type, envelope->body, envelope->body_size, &message, &err) < 0)
        fail_msg("%s", err.text);
    AUTO_FREE char *again = NULL;
    size_t size = 0;
    assert_int_equal(codec_encode(type, message, &again, &size, NULL), 0);
    assert_int_equal(size, envelope->body_size);
    assert_memory_equal(again, envelope->body, size);
    codec_free(type, message);
}

static void expect_vector(const json_t *vector)
{
    const char *hex = text_of(vector, "hex");
    AUTO_FREE char *bytes = xcalloc(1, strlen(hex));
    size_t size = from_hex(hex, bytes);
    AUTO(envelope_free) envelope_t *envelope = NULL;
    assert_int_equal(envelope_decode(bytes, size, &envelope, NULL), 0);
    expect_envelope(envelope, json_object_get(vector, "envelope"));
    expect_body_survives(envelope);
    AUTO_FREE char *again = NULL;
    size_t again_size = 0;
    envelope_encode(envelope, &again, &again_size);
    assert_int_equal(again_size, size);
    assert_memory_equal(again, bytes, size);
}

static void every_vector_is_read_and_written_alike(void **state)
{
    (void)state;
    AUTO_FREE char *path = xasprintf("%s/tests/golden/envelopes.json", getenv("AIOPSLAB_SRC"));
    json_auto_t *vectors = json_load_file(path, 0, NULL);
    assert_true(json_array_size(vectors) > 0);
    size_t i;
    json_t *vector;
    json_array_foreach(vectors, i, vector) expect_vector(vector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_vector_is_read_and_written_alike)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
