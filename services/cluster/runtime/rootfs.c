#include "services/cluster/runtime/rootfs.h"

#include "base/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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
    {"dev/stdin", "/proc/self/fd/0"},
    {"dev/stdout", "/proc/self/fd/1"},
    {"dev/stderr", "/proc/self/fd/2"},
    {"var/run", "/run"},
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

/* Binds source, which is looked up before the stage hides anything, on target. Flags are added to
 * the mount, never taken away: in a user namespace some of the host's are locked. */
static int bind(int source_fd, const char *target, bool is_read_only)
{
    int tree = open_tree(
        source_fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
    if (tree < 0)
        return -1;
    struct mount_attr attributes = {
        .attr_set = MOUNT_ATTR_NOSUID | (is_read_only ? MOUNT_ATTR_RDONLY : 0)};
    int rc = mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof(attributes));
    if (rc == 0)
        rc = move_mount(tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH);
    int kept = errno;
    close(tree);
    errno = kept;
    return rc;
}

static int bind_path(const char *source, const char *target, bool is_read_only)
{
    int fd = open(source, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int rc = bind(fd, target, is_read_only);
    int kept = errno;
    close(fd);
    errno = kept;
    return rc;
}

/* Makes path, relative to the root, with its parents, as a folder or an empty file. */
static int make_target(const char *path, bool is_file)
{
    char partial[PATH_MAX];
    size_t length = strlen(path);
    if (length >= sizeof(partial)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(partial, path, length + 1);
    for (char *slash = strchr(partial, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(partial, 0755) < 0 && errno != EEXIST)
            return -1;
        *slash = '/';
    }
    if (is_file)
        return make_file(partial, NULL);
    return mkdir(partial, 0755) < 0 && errno != EEXIST ? -1 : 0;
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
    if (bind_path("/usr", "usr", true) < 0)
        return "bind /usr";
    for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
        char source[32] = "/";
        strcat(source, devices[i]);
        if (make_file(devices[i], NULL) < 0 || bind_path(source, devices[i], false) < 0)
            return "bind /dev";
    }
    if (make_file("etc/ld.so.cache", NULL) < 0
        || (bind_path("/etc/ld.so.cache", "etc/ld.so.cache", true) < 0 && errno != ENOENT))
        return "bind /etc/ld.so.cache";
    if (bind_path("/etc/alternatives", "etc/alternatives", true) < 0 && errno != ENOENT)
        return "bind /etc/alternatives";
    return NULL;
}

static const char *bind_mounts(const rootfs_t *self)
{
    for (size_t i = 0; i < self->mount_count; i++) {
        const rootfs_mount_t *mount = &self->mounts[i];
        const char *target = mount->target + strspn(mount->target, "/");
        if (make_target(target, mount->is_file) < 0
            || bind_path(mount->source, target, mount->is_read_only) < 0)
            return mount->target;
    }
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

const char *rootfs_enter(const rootfs_t *self)
{
    umask(0022);
    if (mount("root", self->stage, "tmpfs", MS_NOSUID | MS_NODEV, self->options) < 0)
        return "mount the root";
    if (chdir(self->stage) < 0)
        return "chdir";
    const char *failed = make_skeleton();
    if (!failed)
        failed = bind_standard();
    if (!failed)
        failed = bind_mounts(self);
    if (!failed)
        failed = write_files(self);
    if (failed)
        return failed;
    if (mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
        return "mount /proc";
    /* The root of a container may be the machine's: it must not set what the kernel does. */
    if (bind_path("proc/sys", "proc/sys", true) < 0
        || (bind_path("proc/sysrq-trigger", "proc/sysrq-trigger", true) < 0 && errno != ENOENT))
        return "guard /proc";
    if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
        return "pivot_root";
    return NULL;
}

const char *rootfs_remount_proc(void)
{
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
        return "mount /proc";
    return NULL;
}
