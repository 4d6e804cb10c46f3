#include "apps/common/dial.h"

#include "base/auto.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

static void list_free(struct addrinfo **list_p)
{
    if (*list_p)
        freeaddrinfo(*list_p);
}

static void descriptor_close(int *fd_p)
{
    if (*fd_p >= 0)
        close(*fd_p);
}

static int resolve(const char *address, struct addrinfo **list_p, err_t *err)
{
    const char *colon = strrchr(address, ':');
    if (!colon || colon == address)
        return err_set(err, ERR_INVALID, "address '%s' is not host:port", address);
    AUTO_FREE char *host = xstrndup(address, (size_t)(colon - address));
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    int rc = getaddrinfo(host, colon + 1, &hints, list_p);
    if (rc == 0)
        return 0;
    if (rc == EAI_AGAIN)
        return err_set(err, ERR_TIMEOUT, "dial tcp: lookup %s: i/o timeout", host);
    return err_set(err, ERR_UNAVAILABLE, "dial tcp: lookup %s: %s", host,
        rc == EAI_NONAME ? "no such host" : gai_strerror(rc));
}

static const char *error_name(int error)
{
    switch (error) {
    case ECONNREFUSED:
        return "connection refused";
    case EHOSTUNREACH:
        return "no route to host";
    case ENETUNREACH:
        return "network is unreachable";
    default:
        return strerror(error);
    }
}

/* Returns 0 or an errno. */
static int connect_within(int fd, const struct addrinfo *target, int timeout_ms)
{
    if (connect(fd, target->ai_addr, target->ai_addrlen) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    int count = poll(&ready, 1, timeout_ms);
    if (count < 0)
        return errno;
    if (count == 0)
        return ETIMEDOUT;
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
}

static void set_options(int fd, int io_timeout_ms)
{
    const int yes = 1;
    struct timeval limit = {io_timeout_ms / 1000, io_timeout_ms % 1000 * 1000L};
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
}

int dial(const char *address, int timeout_ms, int io_timeout_ms, err_t *err)
{
    AUTO(list_free) struct addrinfo *list = NULL;
    int rc = resolve(address, &list, err);
    if (rc < 0)
        return rc;

    AUTO(descriptor_close)
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "dial tcp %s: socket: %s", address, strerror(errno));
    int error = connect_within(fd, list, timeout_ms);
    char numeric[64] = "";
    getnameinfo(list->ai_addr, list->ai_addrlen, numeric, sizeof(numeric), NULL, 0, NI_NUMERICHOST);
    const char *port = strrchr(address, ':');
    if (error == ETIMEDOUT)
        return err_set(err, ERR_TIMEOUT, "dial tcp %s%s: i/o timeout", numeric, port);
    if (error)
        return err_set(
            err, ERR_UNAVAILABLE, "dial tcp %s%s: connect: %s", numeric, port, error_name(error));
    set_options(fd, io_timeout_ms);
    int connected = fd;
    fd = -1;
    return connected;
}

void dial_limit_lookups(void)
{
    setenv("RES_OPTIONS", "timeout:1 attempts:1", 0);
}
