/* pattern - the regular expressions of schemas, which are Go's (RE2), as POSIX' extended ones. */
#ifndef CLUSTER_ENV_SCHEMA_PATTERN_H
#define CLUSTER_ENV_SCHEMA_PATTERN_H

#include <stdbool.h>

typedef enum { PATTERN_MATCH, PATTERN_NO_MATCH, PATTERN_BAD } pattern_result_t;

/* Whether a pattern matches somewhere in a text; bad if it cannot be understood. */
pattern_result_t pattern_match(const char *pattern, const char *text);

#endif
