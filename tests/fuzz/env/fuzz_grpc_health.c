#include "services/cluster/env/kubelet/grpc_health.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte says in pieces of which size it comes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t piece = data[0] + 1U;
    grpc_answer_t *answer = calloc(1, sizeof(*answer));
    uint8_t reply[256 + 32];
    for (size_t at = 1; answer && at < size; at += piece) {
        size_t given = size - at < piece ? size - at : piece;
        size_t reply_size = grpc_answer_feed(answer, data + at, given, reply);
        assert(reply_size <= given + 32);
    }
    if (answer)
        (void)grpc_answer_status(answer);
    free(answer);
    return 0;
}
