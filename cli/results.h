/* results - a result is not lost, whatever becomes of the disk that it should be written to. */
#ifndef CLI_RESULTS_H
#define CLI_RESULTS_H

#include <jansson.h>

/* Writes a result, whole or not at all, where there is room: below the state folder, else where
 * temporary files go. Returns the file's path, for free(), or NULL if there is none anywhere. */
char *results_save(const json_t *result);

#endif
