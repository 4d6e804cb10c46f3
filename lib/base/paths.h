/* paths - the few places in the file system that every program agrees on.
 *
 * Each function returns new memory, for free(). */
#ifndef BASE_PATHS_H
#define BASE_PATHS_H

#include "base/err.h"

/* Where sockets and pid files live: $AIOPSLAB_RUN, else $XDG_RUNTIME_DIR/aiopslab, else
 * /tmp/aiopslab-<uid>. Made with mode 0700 if it is not there. NULL if it cannot be made, or
 * belongs to somebody else, or others may enter it. */
char *paths_run_dir(err_t *err);

/* Where keys, databases and results live: $AIOPSLAB_STATE, else $XDG_STATE_HOME/aiopslab, else
 * ~/.local/state/aiopslab. Made and checked as the run directory is. */
char *paths_state_dir(err_t *err);

/* The folder of our programs: $AIOPSLAB_BIN, else the folder of the running program. */
char *paths_bin_dir(void);

/* The folder that holds problems/ and apps/: $AIOPSLAB_DATA, else $AIOPSLAB_SRC, else where this
 * was built from. */
char *paths_data_dir(void);

/* Makes a folder and those above it, with mode 0700; it is no error if they are there. */
int paths_make_private(const char *path, err_t *err);

#endif
