/* rootfs - what a container sees as its file system.
 *
 * A tmpfs with the distribution's /usr read-only, its own /proc, /tmp, /etc and a minimal /dev, and
 * what else is mounted into it. Nothing else of the host is there. */
#ifndef CLUSTER_RUNTIME_ROOTFS_H
#define CLUSTER_RUNTIME_ROOTFS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct rootfs_mount {
    const char *source; /* a file or a folder of the environment's file system */
    const char *target; /* absolute; parents are made */
    bool is_read_only;
    bool is_file;
} rootfs_mount_t;

typedef struct rootfs_file {
    const char *path; /* relative to the root, such as "etc/hosts"; parents must be standard */
    const char *text;
} rootfs_file_t;

typedef struct rootfs {
    const char *stage;   /* an empty folder to build on; the same for all containers */
    const char *options; /* of the tmpfs, such as "size=64m,mode=755" */
    const rootfs_mount_t *mounts;
    size_t mount_count;
    const rootfs_file_t *files;
    size_t file_count;
} rootfs_t;

/* Builds the root and moves the calling process into it. For a child that has a mount and a pid
 * namespace of its own and shares the parent's memory: it calls nothing but the kernel. Returns
 * NULL, or the name of the step that failed, with errno. */
const char *rootfs_enter(const rootfs_t *self);

/* Mounts /proc anew over what is there, for a process in a pid namespace of its own. */
const char *rootfs_remount_proc(void);

#endif
