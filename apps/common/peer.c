#include "apps/common/peer.h"

#include "apps/common/dial.h"
#include "apps/common/pool.h"
#include "base/auto.h"
#include "base/mem.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { DIAL_TIMEOUT_MS = 1000 };

typedef struct connection {
    int fd;
} connection_t;

struct peer {
    char *address;
    int timeout_ms;
    pool_t pool;
};

static void connection_destroy(void **connection_p)
{
    connection_t *connection = *connection_p;
    if (!connection)
        return;
    close(connection->fd);
    free(connection);
    *connection_p = NULL;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int fail(const peer_t *self, err_t *err)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return err_set(
            err, ERR_TIMEOUT, "no answer from %s within %d ms", self->address, self->timeout_ms);
    return err_set(err, ERR_UNAVAILABLE, "connection to %s lost: %s", self->address,
        errno ? strerror(errno) : "EOF");
}

static int send_all(int fd, struct iovec parts[2])
{
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    while (message.msg_iovlen > 0) {
        ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            return -1;
        size_t left = sent < 0 ? 0 : (size_t)sent;
        while (message.msg_iovlen > 0 && left >= message.msg_iov->iov_len) {
            left -= message.msg_iov->iov_len;
            message.msg_iov++;
            message.msg_iovlen--;
        }
        if (message.msg_iovlen > 0) {
            message.msg_iov->iov_base = (char *)message.msg_iov->iov_base + left;
            message.msg_iov->iov_len -= left;
        }
    }
    return 0;
}

static int send_message(const peer_t *self, int fd, const peer_message_t *message)
{
    AUTO_FREE char *head = xasprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: "
                                     "application/json\r\nContent-Length: %zu\r\n%s\r\n",
        message->path, self->address, message->body_size, message->headers);
    struct iovec parts[2] = {
        {.iov_base = head, .iov_len = strlen(head)},
        {.iov_base = (void *)message->body, .iov_len = message->body_size},
    };
    return send_all(fd, parts);
}

static int receive_reply(const peer_t *self, int fd, http_reply_t *reply, err_t *err)
{
    int64_t deadline = now_ms() + self->timeout_ms;
    char data[8192];
    while (!http_reply_is_complete(reply)) {
        errno = 0;
        ssize_t count = recv(fd, data, sizeof(data), 0);
        if (count < 0 && errno == EINTR)
            continue;
        if (count == 0 && http_reply_close(reply))
            break;
        if (count <= 0)
            return fail(self, err);
        if (http_reply_feed(reply, data, (size_t)count) != count)
            return err_set(err, ERR_IO, "malformed HTTP response from %s", self->address);
        if (now_ms() > deadline)
            return err_set(err, ERR_TIMEOUT, "no full answer from %s within %d ms", self->address,
                self->timeout_ms);
    }
    return 0;
}

static int exchange(peer_t *self, connection_t *connection, const peer_message_t *message,
    http_reply_t *reply, err_t *err)
{
    http_reply_reset(reply);
    errno = 0;
    if (send_message(self, connection->fd, message) < 0)
        return fail(self, err);
    return receive_reply(self, connection->fd, reply, err);
}

static int post_once(peer_t *self, void **connection_p, const peer_message_t *message,
    http_reply_t *reply, err_t *err)
{
    int rc = exchange(self, *connection_p, message, reply, err);
    if (rc == 0 && reply->is_kept_alive)
        pool_put(&self->pool, connection_p);
    else
        connection_destroy(connection_p);
    return rc;
}

int peer_post(peer_t *self, const peer_message_t *message, http_reply_t *reply, err_t *err)
{
    void *kept = pool_take(&self->pool);
    if (kept) {
        int rc = post_once(self, &kept, message, reply, err);
        if (rc != -ERR_UNAVAILABLE || !http_reply_is_unbegun(reply))
            return rc;
        pool_clear(&self->pool);
    }
    int fd = dial(self->address, DIAL_TIMEOUT_MS, self->timeout_ms, err);
    if (fd < 0)
        return fd;
    connection_t *connection = xcalloc(1, sizeof(*connection));
    connection->fd = fd;
    void *fresh = connection;
    return post_once(self, &fresh, message, reply, err);
}

const char *peer_address(const peer_t *self)
{
    return self->address;
}

peer_t *peer_new(const char *address, int timeout_ms)
{
    peer_t *self = xcalloc(1, sizeof(*self));
    self->address = xstrdup(address);
    self->timeout_ms = timeout_ms;
    pool_init(&self->pool, connection_destroy);
    return self;
}

void peer_destroy(peer_t **self_p)
{
    peer_t *self = *self_p;
    if (!self)
        return;
    pool_done(&self->pool);
    free(self->address);
    free(self);
    *self_p = NULL;
}
