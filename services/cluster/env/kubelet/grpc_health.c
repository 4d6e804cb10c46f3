#include "services/cluster/env/kubelet/grpc_health.h"

#include "base/auto.h"
#include "base/mem.h"

#include <string.h>

enum {
    FRAME_DATA = 0,
    FRAME_HEADERS = 1,
    FRAME_RESET = 3,
    FRAME_SETTINGS = 4,
    FRAME_PING = 6,
    FRAME_GOAWAY = 7,
    FLAG_ACK = 1,
    FLAG_END_STREAM = 1,
    FLAG_END_HEADERS = 4,
    FLAG_PADDED = 8,
    STREAM = 1,
    PREFIX_SIZE = 5, /* of a message: whether it is compressed, and its size */
    PING_SIZE = 8,
    TEXT_LIMIT = 126, /* what one byte says the length of */
};

/* ---- writing ----------------------------------------------------------------------------------
 */

static size_t put_header(uint8_t *at, size_t size, int type, int flags, int stream)
{
    const uint8_t header[GRPC_HEADER_SIZE] = {(uint8_t)(size >> 16), (uint8_t)(size >> 8),
        (uint8_t)size, (uint8_t)type, (uint8_t)flags, 0, 0, 0, (uint8_t)stream};
    memcpy(at, header, sizeof(header));
    return sizeof(header);
}

/* A header's value, or its name: without Huffman's code. */
static size_t put_text(uint8_t *at, const char *text)
{
    size_t length = strnlen(text, TEXT_LIMIT);
    at[0] = (uint8_t)length;
    memcpy(at + 1, text, length);
    return 1 + length;
}

/* None is put into the table of either side. */
static size_t put_headers(uint8_t *at, const char *authority)
{
    size_t size = 0;
    at[size++] = 0x80 | 3; /* :method: POST */
    at[size++] = 0x80 | 6; /* :scheme: http */
    at[size++] = 4;        /* :path */
    size += put_text(at + size, "/grpc.health.v1.Health/Check");
    at[size++] = 1; /* :authority */
    size += put_text(at + size, authority);
    at[size++] = 15;
    at[size++] = 31 - 15; /* content-type */
    size += put_text(at + size, "application/grpc");
    at[size++] = 0;
    size += put_text(at + size, "te");
    size += put_text(at + size, "trailers");
    at[size++] = 15;
    at[size++] = 58 - 15; /* user-agent */
    size += put_text(at + size, "kube-probe/1.30");
    return size;
}

/* HealthCheckRequest {1: service}. */
static size_t put_message(uint8_t *at, const char *service)
{
    size_t size = PREFIX_SIZE;
    memset(at, 0, PREFIX_SIZE);
    if (*service) {
        at[size++] = 1 << 3 | 2;
        size += put_text(at + size, service);
    }
    at[PREFIX_SIZE - 1] = (uint8_t)(size - PREFIX_SIZE);
    return size;
}

uint8_t *grpc_health_question(const char *authority, const char *service, size_t *size_p)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    uint8_t part[1024];
    uint8_t *bytes = xcalloc(1, sizeof(part) * 2);
    size_t size = sizeof(preface) - 1;
    memcpy(bytes, preface, size);
    size += put_header(bytes + size, 0, FRAME_SETTINGS, 0, 0);
    size_t part_size = put_headers(part, authority);
    size += put_header(bytes + size, part_size, FRAME_HEADERS, FLAG_END_HEADERS, STREAM);
    memcpy(bytes + size, part, part_size);
    size += part_size;
    part_size = put_message(part, service);
    size += put_header(bytes + size, part_size, FRAME_DATA, FLAG_END_STREAM, STREAM);
    memcpy(bytes + size, part, part_size);
    *size_p = size + part_size;
    return bytes;
}

/* ---- reading ----------------------------------------------------------------------------------
 */

static size_t frame_size(const grpc_answer_t *self)
{
    return (size_t)self->bytes[0] << 16 | (size_t)self->bytes[1] << 8 | self->bytes[2];
}

static bool is_on_stream(const grpc_answer_t *self)
{
    const uint8_t stream[4] = {0, 0, 0, STREAM};
    return memcmp(self->bytes + 5, stream, sizeof(stream)) == 0;
}

static void take_data(grpc_answer_t *self)
{
    const uint8_t *data = self->bytes + GRPC_HEADER_SIZE;
    size_t size = frame_size(self);
    if (self->bytes[4] & FLAG_PADDED) {
        size_t padding = size ? (size_t)data[0] + 1 : 0;
        size = padding > size ? 0 : size - padding;
        data++;
    }
    size_t room = GRPC_MESSAGE_LIMIT - self->message_size;
    memcpy(self->message + self->message_size, data, size < room ? size : room);
    self->message_size += size < room ? size : room;
}

/* The size of what must be sent back. */
static size_t take_frame(grpc_answer_t *self, uint8_t *reply)
{
    int type = self->bytes[3];
    int flags = self->bytes[4];
    if (type == FRAME_SETTINGS && !(flags & FLAG_ACK))
        return put_header(reply, 0, FRAME_SETTINGS, FLAG_ACK, 0);
    if (type == FRAME_PING && !(flags & FLAG_ACK) && frame_size(self) == PING_SIZE) {
        size_t size = put_header(reply, PING_SIZE, FRAME_PING, FLAG_ACK, 0);
        memcpy(reply + size, self->bytes + GRPC_HEADER_SIZE, PING_SIZE);
        return size + PING_SIZE;
    }
    if (type == FRAME_DATA && is_on_stream(self))
        take_data(self);
    bool may_end = type == FRAME_DATA || type == FRAME_HEADERS;
    if (type == FRAME_GOAWAY
        || (is_on_stream(self) && (type == FRAME_RESET || (may_end && flags & FLAG_END_STREAM))))
        self->is_over = true;
    return 0;
}

size_t grpc_answer_feed(grpc_answer_t *self, const uint8_t *bytes, size_t size, uint8_t *reply)
{
    size_t reply_size = 0;
    while (size && !self->is_over) {
        size_t wanted =
            self->size < GRPC_HEADER_SIZE ? GRPC_HEADER_SIZE : GRPC_HEADER_SIZE + frame_size(self);
        size_t taken = wanted - self->size < size ? wanted - self->size : size;
        memcpy(self->bytes + self->size, bytes, taken);
        self->size += taken;
        bytes += taken;
        size -= taken;
        if (self->size < GRPC_HEADER_SIZE)
            continue;
        if (frame_size(self) > GRPC_FRAME_LIMIT) {
            self->is_over = true;
        } else if (self->size == GRPC_HEADER_SIZE + frame_size(self)) {
            reply_size += take_frame(self, reply + reply_size);
            self->size = 0;
        }
    }
    return reply_size;
}

const char *grpc_answer_status(const grpc_answer_t *self)
{
    static const char *const names[] = {"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};
    const uint8_t *message = self->message + PREFIX_SIZE;
    if (self->message_size < PREFIX_SIZE || self->message[0] != 0)
        return NULL;
    size_t size = self->message[PREFIX_SIZE - 1];
    if (size == 0)
        return names[0];
    bool is_status = size == 2 && self->message_size >= PREFIX_SIZE + 2 && message[0] == 1 << 3;
    return is_status && message[1] < ARRAY_SIZE(names) ? names[message[1]] : NULL;
}
