#include "base/base64.h"

#include "base/mem.h"

#include <stdint.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const void *bytes, size_t size)
{
    const uint8_t *in = bytes;
    char *text = xcalloc(1, 4 * ((size + 2) / 3) + 1);
    char *out = text;
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t group = (uint32_t)in[i] << 16;
        group |= left > 1 ? (uint32_t)in[i + 1] << 8 : 0;
        group |= left > 2 ? in[i + 2] : 0;
        *out++ = digits[group >> 18];
        *out++ = digits[group >> 12 & 63];
        *out++ = (char)(left > 1 ? digits[group >> 6 & 63] : '=');
        *out++ = (char)(left > 2 ? digits[group & 63] : '=');
    }
    return text;
}

char *base64_decode(const char *text, size_t *size_p)
{
    char *bytes = xcalloc(1, strlen(text) + 1);
    size_t size = 0;
    uint32_t bits = 0;
    int count = 0;
    for (; *text && *text != '='; text++) {
        const char *digit = strchr(digits, *text);
        if (!digit)
            continue;
        bits = bits << 6 | (uint32_t)(digit - digits);
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes[size++] = (char)(bits >> count);
        }
    }
    *size_p = size;
    return bytes;
}
