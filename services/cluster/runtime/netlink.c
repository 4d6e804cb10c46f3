#include "services/cluster/runtime/netlink.h"

#include "base/mem.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void *grow(netlink_t *self, size_t size)
{
    size_t start = self->size;
    size_t end = start + NLMSG_ALIGN(size);
    if (end > self->capacity) {
        self->capacity = 2 * end + 4096;
        self->bytes = mem_check(realloc(self->bytes, self->capacity));
    }
    memset(self->bytes + start, 0, end - start);
    self->size = end;
    return self->bytes + start;
}

static struct nlmsghdr *message(netlink_t *self)
{
    return (struct nlmsghdr *)(self->bytes + self->at);
}

void netlink_done(netlink_t *self)
{
    free(self->bytes);
    *self = (netlink_t){0};
}

void netlink_begin(netlink_t *self, int type, int flags, const void *header, size_t size)
{
    self->at = self->size;
    grow(self, NLMSG_HDRLEN + size);
    struct nlmsghdr *built = message(self);
    built->nlmsg_len = (uint32_t)(NLMSG_HDRLEN + NLMSG_ALIGN(size));
    built->nlmsg_type = (uint16_t)type;
    built->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
    built->nlmsg_seq = ++self->last;
    memcpy(NLMSG_DATA(built), header, size);
}

void netlink_put_raw(netlink_t *self, const void *bytes, size_t size)
{
    void *target = grow(self, size);
    if (size)
        memcpy(target, bytes, size);
    message(self)->nlmsg_len = (uint32_t)(self->size - self->at);
}

void netlink_put(netlink_t *self, int type, const void *value, size_t size)
{
    struct nlattr attribute = {
        .nla_len = (uint16_t)(NLA_HDRLEN + size), .nla_type = (uint16_t)type};
    netlink_put_raw(self, &attribute, sizeof(attribute));
    netlink_put_raw(self, value, size);
}

void netlink_put_u32(netlink_t *self, int type, uint32_t value)
{
    netlink_put(self, type, &value, sizeof(value));
}

void netlink_put_str(netlink_t *self, int type, const char *text)
{
    netlink_put(self, type, text, strlen(text) + 1);
}

size_t netlink_nest(netlink_t *self, int type)
{
    size_t nest = self->size;
    netlink_put(self, type | NLA_F_NESTED, NULL, 0);
    return nest;
}

void netlink_unnest(netlink_t *self, size_t nest)
{
    struct nlattr *attribute = (struct nlattr *)(self->bytes + nest);
    attribute->nla_len = (uint16_t)(self->size - nest);
}

/* ---- sending -------------------------------------------------------------------------------- */

/* Counts the messages that the kernel will answer. */
static size_t count_answers(const netlink_t *self)
{
    size_t count = 0;
    for (size_t at = 0; at < self->size;) {
        const struct nlmsghdr *sent = (const struct nlmsghdr *)(self->bytes + at);
        count += sent->nlmsg_flags & NLM_F_ACK ? 1 : 0;
        at += NLMSG_ALIGN(sent->nlmsg_len);
    }
    return count;
}

static int read_answers(int fd, size_t count, int tolerated, err_t *err)
{
    int first = 0;
    char bytes[16384];
    while (count) {
        ssize_t size = recv(fd, bytes, sizeof(bytes), 0);
        if (size < 0)
            return err_set(err, ERR_IO, "netlink: %s", strerror(errno));
        unsigned left = (unsigned)size;
        for (struct nlmsghdr *answer = (struct nlmsghdr *)bytes; NLMSG_OK(answer, left);
             answer = NLMSG_NEXT(answer, left)) {
            if (answer->nlmsg_type != NLMSG_ERROR)
                continue;
            int error = -((struct nlmsgerr *)NLMSG_DATA(answer))->error;
            count--;
            if (error && error != tolerated && !first)
                first = error;
        }
    }
    return first ? err_set(err, ERR_IO, "netlink: %s", strerror(first)) : 0;
}

static int exchange(netlink_t *self, int protocol, int tolerated, err_t *err)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (fd < 0)
        return err_set(err, ERR_IO, "netlink socket: %s", strerror(errno));
    int room = 1 << 20; /* for many answers at once */
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    int brief = 1; /* answers need not repeat the message; without it they are merely longer */
    (void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &brief, sizeof(brief));
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    int rc = 0;
    if (sendto(fd, self->bytes, self->size, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
        rc = err_set(err, ERR_IO, "netlink: %s", strerror(errno));
    else
        rc = read_answers(fd, count_answers(self), tolerated, err);
    close(fd);
    return rc;
}

int netlink_send(netlink_t *self, int protocol, int tolerated, err_t *err)
{
    int rc = self->size ? exchange(self, protocol, tolerated, err) : 0;
    self->size = 0;
    return rc;
}
