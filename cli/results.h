/* results - a result is told, and not lost, whatever becomes of the disk that it should be on. */
#ifndef CLI_RESULTS_H
#define CLI_RESULTS_H

#include "cli/progress.h"

#include <jansson.h>

/* Tells verdict and file of what trial_play() returned. A result without a file is saved where
 * there is room, whole or not at all, or else printed; with is_json it is printed as a line of JSON
 * in any case. Returns the exit status that fits. */
int results_report(progress_t *progress, json_t *result, bool is_json);

#endif
