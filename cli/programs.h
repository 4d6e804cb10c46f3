/* programs - what a lab consists of. */
#ifndef CLI_PROGRAMS_H
#define CLI_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>

/* Names of services, the broker first; the program is aiopslab-NAME beside this one. */
extern const char *const program_names[];
extern const size_t program_count;

bool program_is_known(const char *name);

#endif
