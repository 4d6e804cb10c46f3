#include "services/cluster/runtime/dns.h"

#include "base/auto.h"
#include "base/mem.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HEADER_SIZE = 12,
    PORT = 53,
    CLASS_IN = 1,
    TTL_S = 5, /* as CoreDNS answers for cluster names */
    FLAG_RESPONSE = 0x8000,
    FLAG_AUTHORITATIVE = 0x0400,
    FLAG_TRUNCATED = 0x0200,
    FLAG_RECURSION_DESIRED = 0x0100,
    FLAG_RECURSION_AVAILABLE = 0x0080,
    OPCODE_MASK = 0x7800,
    RCODE_FORMAT_ERROR = 1,
    RCODE_NO_SUCH_NAME = 3,
    RCODE_NOT_IMPLEMENTED = 4,
    POINTER_TO_QUESTION = 0xc000 | HEADER_SIZE,
};

/* ---- reading -------------------------------------------------------------------------------- */

typedef struct question {
    char name[DNS_NAME_LIMIT + 1];
    uint16_t type;
    uint16_t class;
    size_t end; /* where it ends in the query */
} question_t;

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

/* Labels are copied with dots between them. A question is never compressed. */
static bool read_name(const uint8_t *query, size_t size, size_t *at, char *name)
{
    size_t length = 0;
    for (;;) {
        if (*at >= size)
            return false;
        size_t label = query[(*at)++];
        if (label == 0)
            break;
        if (label > 63 || label > size - *at || length + label + 1 > DNS_NAME_LIMIT)
            return false;
        if (length)
            name[length++] = '.';
        for (size_t i = 0; i < label; i++)
            name[length++] = (char)tolower(query[(*at)++]);
    }
    name[length] = '\0';
    return true;
}

static bool read_question(const uint8_t *query, size_t size, question_t *question)
{
    size_t at = HEADER_SIZE;
    if (get16(query + 4) != 1 || !read_name(query, size, &at, question->name) || size - at < 4)
        return false;
    question->type = get16(query + at);
    question->class = get16(query + at + 2);
    question->end = at + 4;
    return true;
}

/* ---- writing -------------------------------------------------------------------------------- */

typedef struct writer {
    uint8_t *bytes;
    size_t size;
    bool is_full;
} writer_t;

static void put(writer_t *out, const void *bytes, size_t size)
{
    if (out->is_full || size > DNS_MESSAGE_LIMIT - out->size) {
        out->is_full = true;
        return;
    }
    memcpy(out->bytes + out->size, bytes, size);
    out->size += size;
}

static void put16(writer_t *out, unsigned value)
{
    put(out, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

static void put_name(writer_t *out, const char *name)
{
    while (*name) {
        size_t label = strcspn(name, ".");
        put(out, (uint8_t[]){(uint8_t)label}, 1);
        put(out, name, label);
        name += label + (name[label] == '.');
    }
    put(out, "", 1);
}

static size_t name_size(const char *name)
{
    return strlen(name) + 2;
}

static void put_head(writer_t *out, uint16_t type, size_t data_size)
{
    put16(out, POINTER_TO_QUESTION);
    put16(out, type);
    put16(out, CLASS_IN);
    put16(out, 0);
    put16(out, TTL_S);
    put16(out, (unsigned)data_size);
}

static void put_record(writer_t *out, uint16_t type, const dns_record_t *record)
{
    if (type == DNS_A) {
        put_head(out, type, sizeof(record->address));
        put(out, &record->address, sizeof(record->address));
        return;
    }
    put_head(out, type, 6 + name_size(record->target));
    put16(out, 0);   /* priority */
    put16(out, 100); /* weight */
    put16(out, record->port);
    put_name(out, record->target);
}

static void put_header(
    uint8_t *reply, const uint8_t *query, unsigned flags, unsigned questions, unsigned answers)
{
    writer_t out = {.bytes = reply};
    flags |= FLAG_RESPONSE | (get16(query + 2) & FLAG_RECURSION_DESIRED);
    put(&out, query, 2);
    put16(&out, flags);
    put16(&out, questions);
    put16(&out, answers);
    put16(&out, 0);
    put16(&out, 0);
}

/* ---- answering ------------------------------------------------------------------------------ */

static size_t refuse(const uint8_t *query, unsigned rcode, uint8_t *reply)
{
    put_header(reply, query, rcode, 0, 0);
    return HEADER_SIZE;
}

size_t dns_reply(
    const uint8_t *query, size_t size, dns_lookup_fn *lookup, void *arg, uint8_t *reply)
{
    if (size < HEADER_SIZE || size > DNS_MESSAGE_LIMIT || get16(query + 2) & FLAG_RESPONSE)
        return 0;
    if (get16(query + 2) & OPCODE_MASK)
        return refuse(query, RCODE_NOT_IMPLEMENTED, reply);
    question_t question;
    if (!read_question(query, size, &question))
        return refuse(query, RCODE_FORMAT_ERROR, reply);

    dns_answer_t answer = {0};
    if (question.class == CLASS_IN)
        lookup(arg, question.name, question.type, &answer);
    writer_t out = {.bytes = reply, .size = HEADER_SIZE};
    put(&out, query + HEADER_SIZE, question.end - HEADER_SIZE);
    size_t written = 0;
    size_t whole = out.size;
    for (size_t i = 0; i < answer.count && !out.is_full; i++) {
        put_record(&out, question.type, &answer.records[i]);
        whole = out.is_full ? whole : out.size;
        written += out.is_full ? 0 : 1;
    }
    unsigned flags = FLAG_AUTHORITATIVE | FLAG_RECURSION_AVAILABLE
                     | (out.is_full ? FLAG_TRUNCATED : 0)
                     | (answer.is_known ? 0 : RCODE_NO_SUCH_NAME);
    put_header(reply, query, flags, 1, (unsigned)written);
    return whole;
}

/* ---- serving -------------------------------------------------------------------------------- */

struct dns {
    ev_t *ev; /* borrowed */
    int fd;
    dns_lookup_fn *lookup;
    void *arg;
};

static void on_query(void *arg, int fd, uint32_t events)
{
    (void)events;
    dns_t *self = arg;
    uint8_t query[DNS_MESSAGE_LIMIT];
    uint8_t reply[DNS_MESSAGE_LIMIT];
    struct sockaddr_in from;
    socklen_t from_size = sizeof(from);
    ssize_t size = recvfrom(fd, query, sizeof(query), 0, (struct sockaddr *)&from, &from_size);
    if (size <= 0)
        return;
    size_t reply_size = dns_reply(query, (size_t)size, self->lookup, self->arg, reply);
    if (reply_size) /* who asked asks again if this is lost */
        (void)sendto(fd, reply, reply_size, 0, (struct sockaddr *)&from, from_size);
}

dns_t *dns_new(ev_t *ev, struct in_addr address, dns_lookup_fn *lookup, void *arg, err_t *err)
{
    AUTO(dns_destroy) dns_t *self = xcalloc(1, sizeof(*self));
    *self = (dns_t){.ev = ev, .lookup = lookup, .arg = arg};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = address, .sin_port = htons(PORT)};
    self->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (self->fd < 0 || bind(self->fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
        err_set(err, ERR_IO, "cannot serve DNS: %s", strerror(errno));
        return NULL;
    }
    ev_fd(ev, self->fd, EPOLLIN, on_query, self);
    return TAKE(self);
}

void dns_destroy(dns_t **self_p)
{
    dns_t *self = *self_p;
    if (!self)
        return;
    if (self->fd >= 0) {
        ev_fd_end(self->ev, self->fd);
        close(self->fd);
    }
    free(self);
    *self_p = NULL;
}
