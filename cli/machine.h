/* machine - what this machine lacks, without which we do less. */
#ifndef CLI_MACHINE_H
#define CLI_MACHINE_H

#include <jansson.h>

/* A list of sentences; empty if nothing is missing. A new reference. What nothing works without is
 * preflight_check()'s affair. */
json_t *machine_missing(void);

#endif
