/* dial - a TCP connection to a named service, or why there is none, in the words of Go's net. */
#ifndef APPS_COMMON_DIAL_H
#define APPS_COMMON_DIAL_H

#include "base/err.h"

/* Connects to "host:port" within timeout_ms (looking the name up has a limit of its own, see
 * dial_limit_lookups()). Returns a blocking descriptor whose reads and writes fail with EAGAIN
 * after io_timeout_ms; or -ERR_INVALID for a malformed address, -ERR_TIMEOUT, -ERR_UNAVAILABLE. */
int dial(const char *address, int timeout_ms, int io_timeout_ms, err_t *err);

/* Makes a lookup fail after about a second instead of ten; once, before the first dial(). */
void dial_limit_lookups(void);

#endif
