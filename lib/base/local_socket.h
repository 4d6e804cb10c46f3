/* local_socket - Unix sockets at paths of any length, and descriptors that travel by them. */
#ifndef BASE_LOCAL_SOCKET_H
#define BASE_LOCAL_SOCKET_H

#include "base/err.h"

#include <stddef.h>
#include <sys/types.h>

enum { LOCAL_SOCKET_FDS = 3 };

/* A non-blocking stream socket that listens at the path; what is left there of an earlier one is
 * removed. The descriptor, or a negative code. */
int local_socket_listen(const char *path, err_t *err);

/* One that is connected to the path. */
int local_socket_connect(const char *path, err_t *err);

/* Sends a few bytes, at least one, and up to LOCAL_SOCKET_FDS descriptors without waiting; calls
 * nothing but the kernel. 0, or -1 with errno. */
int local_socket_send(int fd, const void *bytes, size_t size, const int *fds, size_t fd_count);

/* Receives what has come, without waiting, as read() does; of descriptors up to LOCAL_SOCKET_FDS,
 * which are the caller's to close. */
ssize_t local_socket_receive(int fd, void *bytes, size_t size, int *fds, size_t *fd_count_p);

#endif
