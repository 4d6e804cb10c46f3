/* guest - a command in the agent's sandbox of an environment, at this command's terminal or pipes.
 */
#ifndef CLI_GUEST_H
#define CLI_GUEST_H

#include "base/err.h"

#include <stdbool.h>

/* Runs the command (ends with NULL) by an environment's socket for shells, with this process's
 * streams; at a terminal when both input and output are one and is_interactive says so. Returns its
 * exit status, EXIT_INTERRUPTED after a signal that ends programs, or a negative code. */
int guest_run(const char *socket_path, char *const *argv, bool is_interactive, err_t *err);

#endif
