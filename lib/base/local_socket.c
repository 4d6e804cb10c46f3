/* A socket's address holds 108 bytes; a path in a folder that is open already is short. */
#include "base/local_socket.h"

#include "base/auto.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

typedef union control {
    struct cmsghdr header; /* for its alignment */
    char bytes[CMSG_SPACE(LOCAL_SOCKET_FDS * sizeof(int))];
} control_t;

/* ---- sockets -------------------------------------------------------------------------------- */

typedef int(attach_fn)(int fd, const struct sockaddr *address, socklen_t size);

static int attach_at(int fd, const char *path, attach_fn *attach)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *folder = slash ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup(".");
    int folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder_fd < 0)
        return -1;
    const char *name = slash ? slash + 1 : path;
    int length = snprintf(
        address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", folder_fd, name);
    errno = ENAMETOOLONG;
    int rc = length < (int)sizeof(address.sun_path)
                 ? attach(fd, (const struct sockaddr *)&address, sizeof(address))
                 : -1;
    int error = errno;
    close(folder_fd);
    errno = error;
    return rc;
}

static int open_at(const char *path, int flags, attach_fn *attach, err_t *err)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd >= 0 && attach_at(fd, path, attach) == 0)
        return fd;
    int rc = err_set(err, ERR_IO, "socket '%s': %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return rc;
}

int local_socket_listen(const char *path, err_t *err)
{
    (void)unlink(path); /* if it stays, binding says so */
    int fd = open_at(path, SOCK_NONBLOCK, bind, err);
    if (fd < 0 || listen(fd, SOMAXCONN) == 0)
        return fd;
    int rc = err_set(err, ERR_IO, "socket '%s': %s", path, strerror(errno));
    close(fd);
    return rc;
}

int local_socket_connect(const char *path, err_t *err)
{
    return open_at(path, 0, connect, err);
}

/* ---- descriptors ---------------------------------------------------------------------------- */

int local_socket_send(int fd, const void *bytes, size_t size, const int *fds, size_t fd_count)
{
    struct iovec part = {(void *)bytes, size};
    control_t control = {0};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd_count) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(header), fds, fd_count * sizeof(int));
    }
    return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size ? 0 : -1;
}

ssize_t local_socket_receive(int fd, void *bytes, size_t size, int *fds, size_t *fd_count_p)
{
    struct iovec part = {bytes, size};
    control_t control = {0};
    struct msghdr message = {.msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof(control.bytes)};
    ssize_t received = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    *fd_count_p = 0;
    const struct cmsghdr *header = received > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        *fd_count_p = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds, CMSG_DATA(header), *fd_count_p * sizeof(int));
    }
    return received;
}
