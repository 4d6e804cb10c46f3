#include "services/cluster/env/kubelet/base64.h"

#include "base/mem.h"

#include <stdint.h>

char *base64_decode(const char *text, size_t *size_p)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *bytes = xcalloc(1, strlen(text) + 1);
    size_t size = 0;
    uint32_t bits = 0;
    int count = 0;
    for (; *text && *text != '='; text++) {
        const char *digit = strchr(alphabet, *text);
        if (!digit)
            continue;
        bits = bits << 6 | (uint32_t)(digit - alphabet);
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes[size++] = (char)(bits >> count);
        }
    }
    *size_p = size;
    return bytes;
}
