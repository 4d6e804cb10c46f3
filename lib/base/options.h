/* options - what argp does not tell about a command line. */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <argp.h>

/* "there is no option '--agnet'; did you mean '--agent'?" in new memory, for the first long option
 * that is not in the table, which ends with an empty entry; NULL if all are, or argp's own
 * (--help, --usage, --version) or beginnings of just one, which argp takes for the whole. */
char *options_complaint(const struct argp_option *table, int argc, char *const *argv);

#endif
