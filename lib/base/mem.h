/* mem - allocation that cannot fail: running out of memory ends the process.
 *
 * CZMQ's zmalloc() does the same, for zeroed structs. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void *mem_check(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

static inline void *xcalloc(size_t count, size_t size)
{
    return mem_check(calloc(count, size));
}

static inline char *xstrdup(const char *text)
{
    return mem_check(strdup(text));
}

static inline char *xstrndup(const char *text, size_t size)
{
    return mem_check(strndup(text, size));
}

/* Formats into new memory, for free(). */
static inline char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

static inline char *xasprintf(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    return mem_check(length < 0 ? NULL : text);
}

#endif
