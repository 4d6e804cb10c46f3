#include "apps/common/cache.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_value(void *arg, const char *key, const char *value, size_t size)
{
    size_t *sum = arg;
    for (size_t i = 0; i < size; i++)
        *sum += (unsigned char)value[i];
    *sum += (unsigned char)key[0];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t sum = 0;
    int looked = cache_read_values((const char *)data, size, NULL, NULL);
    int read = cache_read_values((const char *)data, size, on_value, &sum);
    if (looked != read)
        abort();
    return 0;
}
