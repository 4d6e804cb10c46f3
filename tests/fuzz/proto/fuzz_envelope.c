/* Peek and decode must agree on what an envelope is, and neither may crash. */
#include "base/auto.h"
#include "proto/envelope.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    envelope_peek_t peek;
    AUTO(envelope_free) envelope_t *envelope = NULL;
    int peeked = envelope_peek(data, size, &peek);
    int decoded = envelope_decode(data, size, &envelope, NULL);
    assert(decoded < 0 || peeked == 0);
    return 0;
}
