/* inside - opens and makes paths below a folder without ever leaving it, whatever links there are.
 *
 * Nothing but system calls, so that a child that shares its parent's memory may use it. */
#ifndef CLUSTER_RUNTIME_INSIDE_H
#define CLUSTER_RUNTIME_INSIDE_H

#include <sys/types.h>

typedef enum { INSIDE_AS_IS, INSIDE_MAKE_FOLDER, INSIDE_MAKE_FILE } inside_make_t;

/* O_PATH descriptor of what path means with root as the root directory. What is missing is made,
 * folders on the way and the last part as asked for, with mode 0755 or 0644. -1 with errno. */
int inside_open(int root_fd, const char *path, inside_make_t make);

#endif
