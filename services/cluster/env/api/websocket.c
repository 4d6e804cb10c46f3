/* RFC 6455, section 5. Extensions are never agreed to, so that reserved bits are errors. */
#include "services/cluster/env/api/websocket.h"

#include "base/auto.h"
#include "base/mem.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

enum { FINAL = 0x80, RESERVED = 0x70, CONTROL = 0x08, MASKED = 0x80, CONTINUATION = 0, TEXT = 1 };

static size_t header_size(const websocket_t *self)
{
    if (self->header_size < 2)
        return 2;
    int length = self->header[1] & 0x7f;
    return 2U + (length == 126 ? 2U : length == 127 ? 8U : 0U) + 4U;
}

static uint64_t payload_size(const websocket_t *self)
{
    int length = self->header[1] & 0x7f;
    int count = length == 126 ? 2 : length == 127 ? 8 : 0;
    uint64_t size = count ? 0 : (uint64_t)length;
    for (int i = 0; i < count; i++)
        size = size << 8 | self->header[2 + i];
    return size;
}

static const char *fault_of_frame(const websocket_t *self)
{
    bool is_control = self->opcode & CONTROL;
    if (self->header[0] & RESERVED)
        return "reserved bits are set";
    if (!(self->header[1] & MASKED))
        return "a client's frame is not masked";
    if (is_control && (!self->is_final || self->left > WEBSOCKET_CONTROL_MAX))
        return "a control frame is too long or in parts";
    if (is_control)
        return self->opcode > WEBSOCKET_PONG ? "the opcode is unknown" : NULL;
    if (self->opcode > WEBSOCKET_BINARY)
        return "the opcode is unknown";
    if ((self->opcode == CONTINUATION) != self->is_in_message)
        return "frames of messages are mixed";
    return self->left >> 63 ? "the length is too large" : NULL;
}

static int begin_frame(websocket_t *self, err_t *err)
{
    self->opcode = self->header[0] & 0x0f;
    self->is_final = self->header[0] & FINAL;
    self->left = payload_size(self);
    self->done = 0;
    const char *fault = fault_of_frame(self);
    if (fault)
        return err_set(err, ERR_INVALID, "websocket: %s", fault);
    memcpy(self->mask, self->header + header_size(self) - 4, 4);
    if (!(self->opcode & CONTROL))
        self->is_in_message = !self->is_final;
    self->is_in_payload = true;
    return 0;
}

/* Unmasks at most one piece; returns how many bytes it took. */
static size_t take_payload(websocket_t *self, const uint8_t *bytes, size_t size,
    const websocket_events_t *events, void *arg)
{
    uint8_t piece[WEBSOCKET_PIECE_MAX];
    bool is_control = self->opcode & CONTROL;
    size_t taken = size < self->left ? size : (size_t)self->left;
    taken = taken < sizeof(piece) ? taken : sizeof(piece);
    uint8_t *out = is_control ? self->control + self->done : piece;
    for (size_t i = 0; i < taken; i++)
        out[i] = bytes[i] ^ self->mask[(self->done + i) & 3];
    self->done += taken;
    self->left -= taken;
    bool is_whole = !self->left;
    if (is_whole) {
        self->is_in_payload = false;
        self->header_size = 0;
    }
    if (!is_control)
        events->on_piece(arg, piece, taken, is_whole && self->is_final);
    else if (is_whole)
        events->on_control(arg, self->opcode, self->control, (size_t)self->done);
    return taken;
}

int websocket_receive(websocket_t *self, const void *bytes, size_t size,
    const websocket_events_t *events, void *arg, err_t *err)
{
    const uint8_t *at = bytes;
    const uint8_t *end = at + size;
    while (at < end) {
        if (self->is_in_payload) {
            at += take_payload(self, at, (size_t)(end - at), events, arg);
            continue;
        }
        self->header[self->header_size++] = *at++;
        if (self->header_size < header_size(self))
            continue;
        int rc = begin_frame(self, err);
        if (rc < 0)
            return rc;
        if (!self->left)
            take_payload(self, at, 0, events, arg);
    }
    return 0;
}

size_t websocket_header(int opcode, size_t size, uint8_t header[WEBSOCKET_HEADER_MAX])
{
    int count = size < 126 ? 0 : size < 65536 ? 2 : 8;
    header[0] = (uint8_t)(FINAL | opcode);
    header[1] = (uint8_t)(count == 0 ? size : count == 2 ? 126 : 127);
    for (int i = 0; i < count; i++)
        header[2 + i] = (uint8_t)(size >> 8 * (count - 1 - i));
    return 2 + (size_t)count;
}

char *websocket_accept(const char *key)
{
    AUTO_FREE char *text = xasprintf("%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    uint8_t digest[20];
    gnutls_datum_t encoded = {0};
    gnutls_datum_t data = {digest, sizeof(digest)};
    if (gnutls_hash_fast(GNUTLS_DIG_SHA1, text, strlen(text), digest) < 0
        || gnutls_base64_encode2(&data, &encoded) < 0)
        abort(); /* SHA-1 is built in, and memory is all that encoding needs */
    char *accept = xstrndup((char *)encoded.data, encoded.size);
    gnutls_free(encoded.data);
    return accept;
}
