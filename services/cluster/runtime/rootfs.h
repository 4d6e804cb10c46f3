/* rootfs - what a container sees as its file system.
 *
 * A tmpfs with the distribution's /usr read-only, its own /proc, /tmp, /etc and a minimal /dev, and
 * what else is mounted into it. Nothing else of the host is there. */
#ifndef CLUSTER_RUNTIME_ROOTFS_H
#define CLUSTER_RUNTIME_ROOTFS_H

#include <stdbool.h>
#include <stddef.h>

/* Containers write into what is mounted, so below source and target any link may lead anywhere:
 * both are looked up as if source, and the container's root, were the root. */
typedef struct rootfs_mount {
    const char *source;   /* a file or a folder at a path that no container can change */
    const char *sub_path; /* the part of source that is mounted, made if it is not there; or NULL */
    const char *target;   /* absolute; made if it is not there */
    bool is_read_only;
} rootfs_mount_t;

typedef struct rootfs_file {
    const char *path; /* relative to the root, such as "etc/hosts"; parents must be standard */
    const char *text;
} rootfs_file_t;

typedef struct rootfs {
    const char *stage;         /* an empty folder to build on; the same for all containers */
    const char *options;       /* of the tmpfs, such as "size=64m,mode=755" */
    const char *const *hidden; /* folders of /usr that are shown empty; ends with NULL */
    const rootfs_mount_t *mounts;
    size_t mount_count;
    const rootfs_file_t *files;
    size_t file_count;
    bool is_read_only; /* but for what is mounted writable, and /dev/shm */
} rootfs_t;

/* Builds the root and moves the calling process into it. For a child that has a mount and a pid
 * namespace of its own and shares the parent's memory: it calls nothing but the kernel. Returns
 * NULL, or the name of the step that failed, with errno. */
const char *rootfs_enter(const rootfs_t *self);

/* Mounts /proc anew over what is there, for a process in a pid namespace of its own. */
const char *rootfs_remount_proc(void);

#endif
