/* base64 - bytes as printable text (RFC 4648). */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>

/* New memory, padded with '='. */
char *base64_encode(const void *bytes, size_t size);

/* New memory, NUL-terminated beyond its size. What is no digit is skipped. */
char *base64_decode(const char *text, size_t *size_p);

#endif
