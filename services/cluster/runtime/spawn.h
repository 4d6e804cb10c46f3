/* spawn - starts a process in namespaces of its own or in those of another, without copying memory.
 *
 * The child shares the parent's memory until it executes (clone with CLONE_VM and CLONE_VFORK): a
 * fork of even a small process costs many times more, for the page tables it copies. So the child
 * calls nothing but the kernel, and everything it needs is ready beforehand. */
#ifndef CLUSTER_RUNTIME_SPAWN_H
#define CLUSTER_RUNTIME_SPAWN_H

#include "base/err.h"
#include "services/cluster/runtime/rootfs.h"

#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

typedef struct spawn_limit {
    __rlimit_resource_t resource;
    rlim_t value; /* soft and hard */
} spawn_limit_t;

/* Who a process is, and what it may do. */
typedef struct spawn_security {
    uid_t uid;
    gid_t gid;
    const gid_t *groups; /* beside gid */
    size_t group_count;
    uint64_t capabilities; /* a bit for each that may be had; others are gone for good */
    bool has_no_new_privileges;
} spawn_security_t;

/* What containers have unless they say otherwise: what Docker's and containerd's default is,
 * without MKNOD: devices are given, not made. */
uint64_t spawn_default_capabilities(void);

typedef struct spawn {
    char *const *argv; /* argv[0] is looked up in PATH of envp */
    char *const *envp;
    const char *cwd; /* NULL: / */
    const char *hostname;
    int in_fd;  /* 0 of the child; -1: /dev/null */
    int out_fd; /* 1 of the child */
    int err_fd; /* 2 of the child */
    /* Instead of these three a terminal of its own, whose master is sent by this socket; 0: none.
     */
    int terminal_to;
    int columns, rows; /* of the terminal; 0: not known */

    /* Either a root and a network namespace of its own … */
    const rootfs_t *rootfs;
    int net_fd;
    int pids_of; /* a process whose pid namespace it shares; 0: one of its own */
    /* … or the namespaces of this process, with a pid namespace of its own if asked for. */
    int join_pidfd;
    bool has_own_pids;

    const spawn_security_t *security;
    const int *cgroup_fds; /* of files "cgroup.procs" or "tasks" to enter by */
    size_t cgroup_count;
    const spawn_limit_t *limits;
    size_t limit_count;
} spawn_t;

/* Starts it. *pidfd_p is the caller's to close; its parent, which must wait for it, is this
 * process. Fails with the step that failed, ERR_NOT_FOUND if there is no such program; then
 * nothing is left behind. */
int spawn_start(const spawn_t *spawn, pid_t *pid_p, int *pidfd_p, err_t *err);

#endif
