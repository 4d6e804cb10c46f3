#include "apps/common/console.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

void console_line(const char *level, const char *file, int line, const char *format, ...)
{
    char text[1024];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    size_t used = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ ", &utc);
    used += (size_t)snprintf(text + used, sizeof(text) - used, "%s %s:%d > ", level, file, line);

    va_list args;
    va_start(args, format);
    int length = vsnprintf(text + used, sizeof(text) - used - 1, format, args);
    va_end(args);
    used += length > 0 ? (size_t)length : 0;
    if (used > sizeof(text) - 2)
        used = sizeof(text) - 2;
    text[used++] = '\n';
    if (write(STDOUT_FILENO, text, used) < 0)
        return; /* nobody is left to be told */
}
