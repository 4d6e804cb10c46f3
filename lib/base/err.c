#include "base/err.h"

#include "base/auto.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int(err_set)(err_t *err, err_code_t code, const char *format, ...)
{
    assert(code != ERR_NONE);
    if (err) {
        va_list args;
        va_start(args, format);
        err->code = code;
        vsnprintf(err->text, sizeof(err->text), format, args);
        va_end(args);
    }
    return -(int)code;
}

int(err_wrap)(err_t *err, const char *format, ...)
{
    if (!err)
        return -(int)ERR_IO;
    assert(err->code != ERR_NONE);
    char cause[sizeof(err->text)];
    memcpy(cause, err->text, sizeof(cause));

    va_list args;
    va_start(args, format);
    int used = vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);

    if (used >= 0 && (size_t)used < sizeof(err->text))
        snprintf(err->text + used, sizeof(err->text) - (size_t)used, ": %s", cause);
    return -(int)err->code;
}

static const char *const names[] = {
    [ERR_NONE] = "none",
    [ERR_INVALID] = "invalid",
    [ERR_NOT_FOUND] = "not-found",
    [ERR_EXISTS] = "exists",
    [ERR_STATE] = "state",
    [ERR_TIMEOUT] = "timeout",
    [ERR_IO] = "io",
    [ERR_LIMIT] = "limit",
    [ERR_OVERLOADED] = "overloaded",
    [ERR_FORBIDDEN] = "forbidden",
    [ERR_UNAVAILABLE] = "unavailable",
};

const char *err_code_name(err_code_t code)
{
    return (size_t)code < ARRAY_SIZE(names) ? names[code] : "unknown";
}

err_code_t err_code_parse(const char *name)
{
    for (size_t i = ERR_NONE + 1; i < ARRAY_SIZE(names); i++) {
        if (strcmp(names[i], name) == 0)
            return (err_code_t)i;
    }
    return ERR_IO;
}
