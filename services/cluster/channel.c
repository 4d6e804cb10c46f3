#include "services/cluster/channel.h"

#include "base/auto.h"
#include "base/mem.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD = 4, MESSAGE_LIMIT = 64 << 20, READ_SIZE = 65536 };

typedef struct buffer {
    char *bytes;
    size_t size;
    size_t capacity;
} buffer_t;

struct channel {
    ev_t *ev; /* borrowed */
    int fd;
    channel_fn *fn;
    void *arg;
    buffer_t in;
    buffer_t out;
    uint64_t last_id;
    bool is_handing_out;
    bool is_dying; /* destroyed while messages are handed out: freed after that */
};

static void append(buffer_t *self, const void *bytes, size_t size)
{
    if (self->size + size > self->capacity) {
        self->capacity = 2 * (self->size + size);
        self->bytes = mem_check(realloc(self->bytes, self->capacity));
    }
    memcpy(self->bytes + self->size, bytes, size);
    self->size += size;
}

static void remove_front(buffer_t *self, size_t size)
{
    memmove(self->bytes, self->bytes + size, self->size - size);
    self->size -= size;
}

static void on_ready(void *arg, int fd, uint32_t events);

/* Sends what the socket takes; the rest when it takes more. */
static void flush(channel_t *self)
{
    while (self->out.size) {
        ssize_t sent = send(self->fd, self->out.bytes, self->out.size, MSG_NOSIGNAL);
        if (sent <= 0)
            break; /* full, or dead: reading tells */
        remove_front(&self->out, (size_t)sent);
    }
    ev_fd(self->ev, self->fd, self->out.size ? EPOLLIN | EPOLLOUT : EPOLLIN, on_ready, self);
}

/* One whole message from the front of the input, decoded; NULL if there is none yet. */
static envelope_t *take_envelope(channel_t *self, bool *is_broken_p)
{
    uint32_t size = 0;
    if (self->in.size < HEAD)
        return NULL;
    memcpy(&size, self->in.bytes, HEAD);
    size = be32toh(size);
    if (size > MESSAGE_LIMIT) {
        *is_broken_p = true;
        return NULL;
    }
    if (self->in.size - HEAD < size)
        return NULL;
    envelope_t *envelope = NULL;
    *is_broken_p = envelope_decode(self->in.bytes + HEAD, size, &envelope, NULL) < 0;
    remove_front(&self->in, HEAD + size);
    return envelope;
}

static void channel_free(channel_t *self)
{
    free(self->in.bytes);
    free(self->out.bytes);
    free(self);
}

static void hang_up(channel_t *self)
{
    ev_fd_end(self->ev, self->fd);
    self->fn(self->arg, NULL);
}

static void hand_out(channel_t *self)
{
    bool is_broken = false;
    self->is_handing_out = true;
    for (envelope_t *envelope; !self->is_dying && (envelope = take_envelope(self, &is_broken));) {
        self->fn(self->arg, envelope);
        envelope_free(&envelope);
    }
    self->is_handing_out = false;
    if (self->is_dying)
        channel_free(self);
    else if (is_broken)
        hang_up(self);
}

static void on_ready(void *arg, int fd, uint32_t events)
{
    channel_t *self = arg;
    if (events & EPOLLOUT)
        flush(self);
    if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        return;
    char bytes[READ_SIZE];
    ssize_t size = read(fd, bytes, sizeof(bytes));
    if (size > 0) {
        append(&self->in, bytes, (size_t)size);
        hand_out(self);
    } else if (size == 0 || errno != EAGAIN) {
        hang_up(self);
    }
}

channel_t *channel_new(ev_t *ev, int fd, channel_fn *fn, void *arg)
{
    channel_t *self = xcalloc(1, sizeof(*self));
    *self = (channel_t){.ev = ev, .fd = fd, .fn = fn, .arg = arg};
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    ev_fd(ev, fd, EPOLLIN, on_ready, self);
    return self;
}

void channel_destroy(channel_t **self_p)
{
    channel_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    ev_fd_end(self->ev, self->fd);
    close(self->fd);
    self->is_dying = true;
    if (!self->is_handing_out)
        channel_free(self);
}

void channel_send(channel_t *self, envelope_kind_t kind, const char *id, const char *corr,
    const codec_type_t *type, const void *message)
{
    char own_id[32];
    snprintf(own_id, sizeof(own_id), "%llu", (unsigned long long)++self->last_id);
    AUTO_FREE char *body = NULL;
    AUTO_FREE char *bytes = NULL;
    size_t body_size = 0;
    size_t size = 0;
    int rc = codec_encode(type, message, &body, &body_size, NULL);
    assert(rc == 0); /* both sides are ours */
    (void)rc;
    envelope_t envelope = {
        .kind = kind,
        .id = id ? id : own_id,
        .corr = corr,
        .type = type->name,
        .source = "cluster",
        .time = zclock_time(),
        .body = body,
        .body_size = body_size,
    };
    envelope_encode(&envelope, &bytes, &size);
    uint32_t head = htobe32((uint32_t)size);
    append(&self->out, &head, HEAD);
    append(&self->out, bytes, size);
    flush(self);
}
