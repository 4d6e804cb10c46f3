/* The first byte picks the message type, the rest is its body. */
#include "proto/messages.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    size_t count;
    const codec_type_t *const *types = codec_types(&count);
    const codec_type_t *type = types[data[0] % count];
    void *message = NULL;
    if (codec_decode(type, data + 1, size - 1, &message, NULL) < 0)
        return 0;
    char *bytes = NULL;
    size_t bytes_size = 0;
    int rc = codec_encode(type, message, &bytes, &bytes_size, NULL);
    assert(rc == 0);
    free(bytes);
    codec_free(type, message);
    return 0;
}
