/* console - what a service says to whoever reads `kubectl logs`: lines as a Go service's logger
 * prints them.
 *
 *     2026-11-24T09:41:07Z INF geo.c:71 > Listening on port 8083
 *
 * The applications are what is observed, so they do not log in the house's logfmt. Lines go to
 * stdout, each with one write(), and may come from any thread. */
#ifndef APPS_COMMON_CONSOLE_H
#define APPS_COMMON_CONSOLE_H

#define console_info(...)  console_line("INF", __FILE_NAME__, __LINE__, __VA_ARGS__)
#define console_warn(...)  console_line("WRN", __FILE_NAME__, __LINE__, __VA_ARGS__)
#define console_error(...) console_line("ERR", __FILE_NAME__, __LINE__, __VA_ARGS__)
#define console_fatal(...) console_line("FTL", __FILE_NAME__, __LINE__, __VA_ARGS__)

void console_line(const char *level, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
