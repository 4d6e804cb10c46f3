/* The first byte chooses the size of the pieces in which the rest arrives. */
#include "apps/common/http_reply.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    size_t piece = (size_t)data[0] + 1;
    const char *text = (const char *)data + 1;
    size_t left = size - 1;
    http_reply_t reply;
    http_reply_init(&reply, 4096);
    while (left > 0) {
        ssize_t used = http_reply_feed(&reply, text, left < piece ? left : piece);
        if (used < 0)
            break;
        text += used;
        left -= (size_t)used;
        if (reply.body_size > 4096)
            abort();
        if (http_reply_is_complete(&reply))
            http_reply_reset(&reply);
    }
    (void)http_reply_close(&reply); /* either answer is right */
    http_reply_done(&reply);
    return 0;
}
