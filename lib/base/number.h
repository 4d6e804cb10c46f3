/* number - a whole number that somebody wrote. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Whether all of text is a decimal number from least to most; *number_p is written only then. */
bool number_parse(const char *text, int64_t least, int64_t most, int64_t *number_p);

/* The same number, or otherwise if text (which may be NULL) is none. */
int64_t number_or(const char *text, int64_t least, int64_t most, int64_t otherwise);

#endif
