#include "services/cluster/runtime/rootfs.h"

#include "base/auto.h"
#include "services/cluster/runtime/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct folder {
    const char *path;
    mode_t mode;
} folders[] = {
    {"usr", 0755},
    {"proc", 0555},
    {"tmp", 01777},
    {"dev", 0755},
    {"dev/pts", 0755},
    {"dev/shm", 01777},
    {"etc", 0755},
    {"etc/alternatives", 0755}, /* many a program of /usr is a link into it */
    {"app", 0755},
    {"root", 0700},
    {"home", 0755},
    {"run", 0755},
    {"var", 0755},
    {"var/tmp", 01777},
    {"var/log", 0755},
    {"var/lib", 0755},
    {"data", 0777},
};

static const struct link {
    const char *path;
    const char *target;
} links[] = {
    {"bin", "usr/bin"},
    {"sbin", "usr/sbin"},
    {"lib", "usr/lib"},
    {"lib64", "usr/lib64"},
    {"dev/fd", "/proc/self/fd"},
    {"dev/ptmx", "pts/ptmx"},
    {"dev/stdin", "/proc/self/fd/0"},
    {"dev/stdout", "/proc/self/fd/1"},
    {"dev/stderr", "/proc/self/fd/2"},
    {"var/run", "../run"},
};

static const char *const devices[] = {
    "dev/null", "dev/zero", "dev/full", "dev/random", "dev/urandom", "dev/tty"};

static int make_file(const char *path, const char *text)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return -1;
    size_t size = text ? strlen(text) : 0;
    ssize_t written = size ? write(fd, text, size) : 0;
    close(fd);
    return written == (ssize_t)size ? 0 : -1;
}

/* Mounts a copy of what source_fd is on target_fd. Flags are added to the mount, never taken away:
 * in a user namespace some of the host's are locked. */
static int bind_to(int source_fd, int target_fd, uint64_t flags)
{
    int tree = open_tree(
        source_fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
    if (tree < 0)
        return -1;
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_NOSUID | flags};
    int rc = mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof(attributes));
    if (rc == 0)
        rc = move_mount(tree, "", target_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
    int kept = errno;
    close(tree);
    errno = kept;
    return rc;
}

/* Both paths are ours alone. */
static int bind_path(const char *source, const char *target, uint64_t flags)
{
    int source_fd = open(source, O_PATH | O_CLOEXEC);
    int target_fd = source_fd < 0 ? -1 : open(target, O_PATH | O_CLOEXEC);
    int rc = target_fd < 0 ? -1 : bind_to(source_fd, target_fd, flags);
    int kept = errno;
    if (source_fd >= 0)
        close(source_fd);
    if (target_fd >= 0)
        close(target_fd);
    errno = kept;
    return rc;
}

static const char *make_skeleton(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        if (mkdir(folders[i].path, 0) < 0 || chmod(folders[i].path, folders[i].mode) < 0)
            return "mkdir";
    }
    for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
        if (symlink(links[i].target, links[i].path) < 0)
            return "symlink";
    }
    return NULL;
}

static const char *bind_standard(void)
{
    if (bind_path("/usr", "usr", MOUNT_ATTR_RDONLY) < 0)
        return "bind /usr";
    for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
        char source[32] = "/";
        memcpy(source + 1, devices[i], strlen(devices[i]) + 1);
        if (make_file(devices[i], NULL) < 0 || bind_path(source, devices[i], 0) < 0)
            return "bind /dev";
    }
    if (make_file("etc/ld.so.cache", NULL) < 0
        || (bind_path("/etc/ld.so.cache", "etc/ld.so.cache", MOUNT_ATTR_RDONLY) < 0
            && errno != ENOENT))
        return "bind /etc/ld.so.cache";
    if (bind_path("/etc/alternatives", "etc/alternatives", MOUNT_ATTR_RDONLY) < 0
        && errno != ENOENT)
        return "bind /etc/alternatives";
    return NULL;
}

/* Our own installation may be below /usr, with what agents must not read. */
static const char *hide(const char *const *hidden)
{
    for (; hidden && *hidden; hidden++) {
        if (mount("hidden", *hidden + strspn(*hidden, "/"), "tmpfs",
                MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,mode=755")
                < 0
            && errno != ENOENT)
            return "hide";
    }
    return NULL;
}

static int open_source(const rootfs_mount_t *mount)
{
    int fd = open(mount->source, O_PATH | O_CLOEXEC);
    if (fd < 0 || !mount->sub_path)
        return fd;
    int part = inside_open(fd, mount->sub_path, INSIDE_MAKE_FOLDER);
    int kept = errno;
    close(fd);
    errno = kept;
    return part;
}

static int bind_mount(const rootfs_mount_t *mount, int root_fd)
{
    struct stat info;
    int source_fd = open_source(mount);
    if (source_fd < 0 || fstat(source_fd, &info) < 0)
        return -1;
    int target_fd = inside_open(
        root_fd, mount->target, S_ISDIR(info.st_mode) ? INSIDE_MAKE_FOLDER : INSIDE_MAKE_FILE);
    int rc = target_fd < 0 ? -1
                           : bind_to(source_fd, target_fd,
                               MOUNT_ATTR_NODEV | (mount->is_read_only ? MOUNT_ATTR_RDONLY : 0));
    int kept = errno;
    close(source_fd);
    if (target_fd >= 0)
        close(target_fd);
    errno = kept;
    return rc;
}

static const char *bind_mounts(const rootfs_t *self)
{
    int root_fd = open(".", O_PATH | O_CLOEXEC);
    if (root_fd < 0)
        return "open the root";
    for (size_t i = 0; i < self->mount_count; i++) {
        if (bind_mount(&self->mounts[i], root_fd) < 0)
            return self->mounts[i].target; /* the process ends, and its descriptors with it */
    }
    close(root_fd);
    return NULL;
}

static const char *write_files(const rootfs_t *self)
{
    for (size_t i = 0; i < self->file_count; i++) {
        if (make_file(self->files[i].path, self->files[i].text) < 0)
            return self->files[i].path;
    }
    return NULL;
}

/* ---- /proc ----------------------------------------------------------------------------------- */

/* The root of a container may be the machine's: it must not set what the kernel does, nor read
 * what the kernel knows of everybody. The lists are those of the OCI runtimes. */
static const char *const set_by_nobody[] = {
    "proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"};
static const char *const read_by_nobody[] = {"proc/acpi", "proc/asound", "proc/interrupts",
    "proc/kcore", "proc/keys", "proc/latency_stats", "proc/sched_debug", "proc/scsi",
    "proc/timer_list", "proc/timer_stats"};

static int mask(const char *path)
{
    struct stat info;
    if (stat(path, &info) < 0)
        return errno == ENOENT ? 0 : -1;
    if (S_ISDIR(info.st_mode))
        return mount("masked", path, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
            "size=4k,mode=755");
    return bind_path("dev/null", path, MOUNT_ATTR_RDONLY);
}

/* Mounts it below the present folder, which is the root or will be. */
static const char *mount_proc(void)
{
    if (mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
        return "mount /proc";
    for (size_t i = 0; i < ARRAY_SIZE(set_by_nobody); i++) {
        if (bind_path(set_by_nobody[i], set_by_nobody[i], MOUNT_ATTR_RDONLY) < 0 && errno != ENOENT)
            return "guard /proc";
    }
    for (size_t i = 0; i < ARRAY_SIZE(read_by_nobody); i++) {
        if (mask(read_by_nobody[i]) < 0)
            return "mask /proc";
    }
    return NULL;
}

/* Terminals of its own. */
static const char *mount_pts(void)
{
    if (mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "ptmxmode=0666,mode=0620") < 0)
        return "mount /dev/pts";
    return NULL;
}

const char *rootfs_remount_proc(void)
{
    return chdir("/") < 0 ? "chdir" : mount_proc();
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* The root itself, not what is mounted on it. */
static const char *close_root(void)
{
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
    if (mount("shm", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=64m") < 0)
        return "mount /dev/shm";
    return mount_setattr(AT_FDCWD, ".", 0, &attributes, sizeof(attributes)) < 0
               ? "make the root read-only"
               : NULL;
}

static const char *build(const rootfs_t *self)
{
    const char *failed = make_skeleton();
    if (!failed)
        failed = bind_standard();
    if (!failed)
        failed = hide(self->hidden);
    if (!failed)
        failed = write_files(self); /* before containers' files could be in the way */
    if (!failed)
        failed = mount_proc();
    if (!failed)
        failed = mount_pts();
    if (!failed)
        failed = bind_mounts(self);
    if (!failed && self->is_read_only)
        failed = close_root();
    return failed;
}

const char *rootfs_enter(const rootfs_t *self)
{
    umask(0022);
    if (mount("root", self->stage, "tmpfs", MS_NOSUID | MS_NODEV, self->options) < 0)
        return "mount the root";
    if (chdir(self->stage) < 0)
        return "chdir";
    const char *failed = build(self);
    if (failed)
        return failed;
    if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
        return "pivot_root";
    return NULL;
}
