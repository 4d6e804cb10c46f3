#include "services/cluster/runtime/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_at(int root_fd, const char *path)
{
    struct open_how how = {
        .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    int fd;
    do { /* EAGAIN: something was mounted or renamed meanwhile, anywhere; see openat2(2) */
        fd = (int)syscall(SYS_openat2, root_fd, *path ? path : ".", &how, sizeof(how));
    } while (fd < 0 && errno == EAGAIN);
    return fd;
}

static void close_keeping_errno(int fd)
{
    int kept = errno;
    close(fd);
    errno = kept;
}

/* Makes the last part of path, whose parents are there. */
static int make_last(int root_fd, char *path, inside_make_t make)
{
    char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    if (slash)
        *slash = '\0';
    int parent_fd = open_at(root_fd, slash ? path : ".");
    if (slash)
        *slash = '/';
    if (parent_fd < 0)
        return -1;
    int rc = make == INSIDE_MAKE_FILE ? mknodat(parent_fd, name, S_IFREG | 0644, 0)
                                      : mkdirat(parent_fd, name, 0755);
    close_keeping_errno(parent_fd);
    return rc == 0 || errno == EEXIST ? 0 : -1;
}

/* Opens a part of the way, and makes it first if it must. */
static int open_or_make(int root_fd, char *path, inside_make_t make)
{
    int fd = open_at(root_fd, path);
    if (fd >= 0 || errno != ENOENT || make_last(root_fd, path, make) < 0)
        return fd;
    return open_at(root_fd, path);
}

int inside_open(int root_fd, const char *path, inside_make_t make)
{
    char partial[PATH_MAX];
    path += strspn(path, "/");
    size_t length = strlen(path);
    while (length && path[length - 1] == '/')
        length--;
    if (length >= sizeof(partial)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(partial, path, length);
    partial[length] = '\0';
    if (make == INSIDE_AS_IS)
        return open_at(root_fd, partial);
    for (char *slash = strchr(partial, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int fd = open_or_make(root_fd, partial, INSIDE_MAKE_FOLDER);
        *slash = '/';
        if (fd < 0)
            return -1;
        close(fd);
    }
    return open_or_make(root_fd, partial, make);
}
