/* duplicates - keys that an object of a JSON text has more than once. */
#ifndef CLUSTER_ENV_API_DUPLICATES_H
#define CLUSTER_ENV_API_DUPLICATES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Adds 'duplicate field "a.b[0].c"' for each, once, in the order of the text. What is no JSON has
 * none. */
void duplicates_find(const char *text, size_t size, json_t *found);

#endif
