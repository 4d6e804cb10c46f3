#include "base/auto.h"
#include "proto/envelope.h"
#include "tests/support/test.h"

#include <string.h>

static const envelope_t example = {
    .kind = ENVELOPE_REQUEST,
    .id = "id-1",
    .type = "env.get",
    .source = "cli@a",
    .time = 1700000000000,
    .deadline = 1700000005000,
    .session = "s",
    .trace = "00-00-00-00",
    .body = "\x80",
    .body_size = 1,
};

static void peeking_finds_the_routing_fields(void **state)
{
    (void)state;
    AUTO_FREE char *bytes = NULL;
    size_t size = 0;
    envelope_encode(&example, &bytes, &size);
    envelope_peek_t peek;
    assert_int_equal(envelope_peek(bytes, size, &peek), 0);
    assert_int_equal(peek.kind, ENVELOPE_REQUEST);
    assert_memory_equal(peek.id, "id-1", peek.id_size);
    assert_memory_equal(peek.type, "env.get", peek.type_size);
    assert_int_equal(peek.deadline - peek.time, 5000);
    assert_int_equal(peek.body_size, 1);
}

static void decoding_gives_back_every_field(void **state)
{
    (void)state;
    AUTO_FREE char *bytes = NULL;
    size_t size = 0;
    envelope_encode(&example, &bytes, &size);
    AUTO(envelope_free) envelope_t *envelope = NULL;
    assert_int_equal(envelope_decode(bytes, size, &envelope, NULL), 0);
    assert_string_equal(envelope->source, "cli@a");
    assert_string_equal(envelope->trace, "00-00-00-00");
    assert_null(envelope->corr);
}

static void no_prefix_of_an_envelope_is_an_envelope(void **state)
{
    (void)state;
    AUTO_FREE char *bytes = NULL;
    size_t size = 0;
    envelope_encode(&example, &bytes, &size);
    size_t accepted = 0;
    for (size_t cut = 0; cut < size; cut++) {
        envelope_peek_t peek;
        accepted += envelope_peek(bytes, cut, &peek) == 0 ? 1 : 0;
    }
    assert_int_equal(accepted, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peeking_finds_the_routing_fields),
        cmocka_unit_test(decoding_gives_back_every_field),
        cmocka_unit_test(no_prefix_of_an_envelope_is_an_envelope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
