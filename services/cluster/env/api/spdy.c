/* Frames begin with eight bytes. Control: 1 bit set, 15 of version, 16 of type, 8 of flags, 24 of
 * length. Data: 1 bit clear, 31 of the stream's number, 8 of flags, 24 of length. */
#include "services/cluster/env/api/spdy.h"

#include "services/cluster/env/api/spdy_headers.h"

#include "base/auto.h"
#include "base/mem.h"

enum {
    VERSION = 3,
    SYN_STREAM = 1,
    SYN_REPLY = 2,
    RST_STREAM = 3,
    PING = 6,
    HEADERS = 8,
    FLAG_FIN = 1,
    HEADER_SIZE = 8,
    CONTROL_MAX = 16 << 10, /* bytes of a control frame after its header */
};

struct spdy {
    const spdy_events_t *events; /* borrowed */
    void *arg;
    spdy_headers_t headers;
    uint8_t header[HEADER_SIZE];
    size_t header_size;
    uint32_t left; /* of the frame after its header */
    uint8_t *control;
    size_t control_size;
};

static uint32_t read_number(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void write_number(uint8_t *at, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(number >> (24 - 8 * i));
}

/* ---- sending -------------------------------------------------------------------------------- */

static void send_header(spdy_t *self, uint32_t first, int flags, size_t length)
{
    uint8_t header[HEADER_SIZE];
    write_number(header, first);
    write_number(header + 4, (uint32_t)flags << 24 | (uint32_t)length);
    self->events->send(self->arg, header, sizeof(header));
}

static void send_control(spdy_t *self, uint32_t type, const void *bytes, size_t size)
{
    send_header(self, 0x80000000U | VERSION << 16 | type, 0, size);
    self->events->send(self->arg, bytes, size);
}

void spdy_accept(spdy_t *self, uint32_t id)
{
    uint8_t reply[4 + SPDY_EMPTY_BLOCK_MAX];
    write_number(reply, id);
    send_control(self, SYN_REPLY, reply, 4 + spdy_headers_write_none(&self->headers, reply + 4));
}

void spdy_reset(spdy_t *self, uint32_t id, uint32_t reason)
{
    uint8_t body[8];
    write_number(body, id);
    write_number(body + 4, reason);
    send_control(self, RST_STREAM, body, sizeof(body));
}

void spdy_data(spdy_t *self, uint32_t id, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    for (size_t part; size; at += part, size -= part) {
        part = size < SPDY_PIECE_MAX ? size : SPDY_PIECE_MAX;
        send_header(self, id, 0, part);
        self->events->send(self->arg, at, part);
    }
}

void spdy_probe(spdy_t *self, uint32_t id)
{
    send_header(self, id, 0, 0);
}

void spdy_end(spdy_t *self, uint32_t id)
{
    send_header(self, id, FLAG_FIN, 0);
}

/* ---- receiving ------------------------------------------------------------------------------ */

static bool is_control(const spdy_t *self)
{
    return self->header[0] & 0x80;
}

static uint32_t frame_type(const spdy_t *self)
{
    return (uint32_t)self->header[2] << 8 | self->header[3];
}

static bool is_last(const spdy_t *self)
{
    return self->header[4] & FLAG_FIN;
}

static int open_stream(spdy_t *self, err_t *err)
{
    enum { BLOCK_AT = 10 }; /* after two streams' numbers, priority and slot */
    if (self->control_size < BLOCK_AT)
        return err_set(err, ERR_INVALID, "spdy: a stream's frame is too short");
    uint32_t id = read_number(self->control) & 0x7fffffffU;
    json_auto_t *headers = spdy_headers_read(
        &self->headers, self->control + BLOCK_AT, self->control_size - BLOCK_AT, err);
    if (!headers)
        return -(int)err->code;
    self->events->on_open(self->arg, id, headers);
    if (is_last(self))
        self->events->on_end(self->arg, id);
    return 0;
}

/* Unpacked for the sake of those that follow. */
static int skip_headers(spdy_t *self, err_t *err)
{
    if (self->control_size < 4)
        return err_set(err, ERR_INVALID, "spdy: a frame of headers is too short");
    json_auto_t *headers =
        spdy_headers_read(&self->headers, self->control + 4, self->control_size - 4, err);
    return headers ? 0 : -(int)err->code;
}

static int take_control(spdy_t *self, err_t *err)
{
    switch (frame_type(self)) {
    case SYN_STREAM:
        return open_stream(self, err);
    case SYN_REPLY:
    case HEADERS:
        return skip_headers(self, err);
    case RST_STREAM:
        if (self->control_size >= 8)
            self->events->on_reset(self->arg, read_number(self->control) & 0x7fffffffU);
        return 0;
    case PING:
        send_control(self, PING, self->control, self->control_size);
        return 0;
    default: /* SETTINGS, GOAWAY, WINDOW_UPDATE: nothing follows from them here */
        return 0;
    }
}

static int begin_frame(spdy_t *self, err_t *err)
{
    self->left = read_number(self->header + 4) & 0xffffffU;
    self->control_size = 0;
    if (!is_control(self))
        return 0;
    if ((self->header[0] & 0x7f) || self->header[1] != VERSION)
        return err_set(err, ERR_INVALID, "spdy: the version is not 3");
    if (self->left > CONTROL_MAX)
        return err_set(err, ERR_INVALID, "spdy: a control frame of %u bytes", self->left);
    return 0;
}

/* The frame has come to its end. */
static int end_frame(spdy_t *self, err_t *err)
{
    self->header_size = 0;
    if (is_control(self))
        return take_control(self, err);
    if (is_last(self))
        self->events->on_end(self->arg, read_number(self->header));
    return 0;
}

static size_t take_payload(spdy_t *self, const uint8_t *bytes, size_t size)
{
    size_t taken = size < self->left ? size : self->left;
    self->left -= (uint32_t)taken;
    if (is_control(self)) {
        memcpy(self->control + self->control_size, bytes, taken);
        self->control_size += taken;
    } else if (taken) {
        self->events->on_data(self->arg, read_number(self->header), bytes, taken);
    }
    return taken;
}

int spdy_receive(spdy_t *self, const void *bytes, size_t size, err_t *err)
{
    const uint8_t *at = bytes;
    const uint8_t *end = at + size;
    err_t fault = {0};
    err = err ? err : &fault;
    while (at < end) {
        int rc = 0;
        if (self->header_size < HEADER_SIZE) {
            self->header[self->header_size++] = *at++;
            if (self->header_size < HEADER_SIZE)
                continue;
            rc = begin_frame(self, err);
        } else {
            at += take_payload(self, at, (size_t)(end - at));
        }
        if (rc == 0 && !self->left)
            rc = end_frame(self, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* ---- life cycle ----------------------------------------------------------------------------- */

spdy_t *spdy_new(const spdy_events_t *events, void *arg)
{
    spdy_t *self = xcalloc(1, sizeof(*self));
    self->events = events;
    self->arg = arg;
    self->control = mem_check(malloc(CONTROL_MAX));
    spdy_headers_init(&self->headers);
    return self;
}

void spdy_destroy(spdy_t **self_p)
{
    spdy_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    spdy_headers_done(&self->headers);
    free(self->control);
    free(self);
}
