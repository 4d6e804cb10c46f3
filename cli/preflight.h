/* preflight - whether this machine lets us make environments, before anything is started. */
#ifndef CLI_PREFLIGHT_H
#define CLI_PREFLIGHT_H

#include "base/err.h"

/* 0, or -ERR_FORBIDDEN with a sentence that says what to enable. */
int preflight_check(err_t *err);

#endif
