/* Protobuf bodies: whatever decodes must be JSON that can be written. */
#include "services/cluster/env/api/protobuf.h"

#include "base/mem.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_auto_t *object = protobuf_decode((const char *)data, size, NULL);
    if (!object)
        return 0;
    free(mem_check(json_dumps(object, JSON_COMPACT)));
    return 0;
}
