/* seccomp - which system calls processes of containers may not make.
 *
 * Containers of root share the machine's user namespace with it; what their capabilities do not
 * forbid, such as keyrings or io_uring, the filter does. In the manner of Docker's default, as a
 * list of what is refused: no container has the capabilities for which Docker makes exceptions. */
#ifndef CLUSTER_RUNTIME_SECCOMP_H
#define CLUSTER_RUNTIME_SECCOMP_H

#include <linux/filter.h>
#include <stdbool.h>

/* The filter's program, made at the first call; static. has_one_user: giving files to another user
 * does nothing, and says that it went well. */
const struct sock_fprog *seccomp_program(bool has_one_user);

/* Puts it on the calling process for good. Needs CAP_SYS_ADMIN in its user namespace, or
 * no_new_privs. Calls nothing but the kernel. */
int seccomp_enter(const struct sock_fprog *program);

#endif
