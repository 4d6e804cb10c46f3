/* folder - the few things a command does to files. */
#ifndef CLI_FOLDER_H
#define CLI_FOLDER_H

#include "base/err.h"

#include <stddef.h>

/* Removes a folder with all that is in it, without leaving the file system or following links.
 * What is not there is no error. */
void folder_remove(const char *path);

/* Makes a new private folder in $XDG_RUNTIME_DIR or /tmp. New memory, for free(). */
char *folder_make_temporary(err_t *err);

/* Replaces a file whole or not at all. */
int folder_write(const char *path, const char *text, err_t *err);

/* The file's last `limit` bytes, for free(); NULL if it cannot be read. */
char *folder_read_tail(const char *path, size_t limit);

/* Makes the folder, and sees whether there is room for so many bytes in it. */
int folder_check_room(const char *folder, size_t size, err_t *err);

#endif
