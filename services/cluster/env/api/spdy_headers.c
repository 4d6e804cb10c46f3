#include "services/cluster/env/api/spdy_headers.h"

#include "base/auto.h"
#include "base/mem.h"

#include <stdbool.h>
#include <sys/types.h>

void spdy_headers_init(spdy_headers_t *self)
{
    *self = (spdy_headers_t){0};
    if (inflateInit(&self->unpacker) != Z_OK
        || deflateInit(&self->packer, Z_DEFAULT_COMPRESSION) != Z_OK
        || deflateSetDictionary(&self->packer, (const Bytef *)spdy_dictionary, SPDY_DICTIONARY_SIZE)
               != Z_OK)
        abort(); /* memory is all that these need */
}

void spdy_headers_done(spdy_headers_t *self)
{
    inflateEnd(&self->unpacker);
    deflateEnd(&self->packer);
}

/* ---- reading -------------------------------------------------------------------------------- */

/* The first block asks for the dictionary. */
static int unpack_step(z_stream *stream)
{
    int rc = inflate(stream, Z_SYNC_FLUSH);
    if (rc != Z_NEED_DICT)
        return rc;
    rc = inflateSetDictionary(stream, (const Bytef *)spdy_dictionary, SPDY_DICTIONARY_SIZE);
    return rc == Z_OK ? inflate(stream, Z_SYNC_FLUSH) : rc;
}

/* Returns the bytes that came out, or -1. */
static ssize_t unpack(z_stream *stream, const void *block, size_t size, uint8_t *out, size_t room)
{
    stream->next_in = (Bytef *)block;
    stream->avail_in = (uInt)size;
    stream->next_out = out;
    stream->avail_out = (uInt)room;
    int rc = unpack_step(stream);
    bool is_good = (rc == Z_OK || rc == Z_BUF_ERROR) && !stream->avail_in && stream->avail_out;
    return is_good ? (ssize_t)(room - stream->avail_out) : -1;
}

typedef struct cursor {
    const uint8_t *at;
    size_t left;
} cursor_t;

static bool take_number(cursor_t *cursor, uint32_t *number_p)
{
    if (cursor->left < 4)
        return false;
    *number_p = (uint32_t)cursor->at[0] << 24 | (uint32_t)cursor->at[1] << 16
                | (uint32_t)cursor->at[2] << 8 | cursor->at[3];
    cursor->at += 4;
    cursor->left -= 4;
    return true;
}

static bool take_text(cursor_t *cursor, const char **text_p, size_t *size_p)
{
    uint32_t size;
    if (!take_number(cursor, &size) || size > cursor->left)
        return false;
    *text_p = (const char *)cursor->at;
    *size_p = size;
    cursor->at += size;
    cursor->left -= size;
    return true;
}

static bool take_header(cursor_t *cursor, json_t *headers)
{
    const char *name;
    const char *value;
    size_t name_size;
    size_t value_size;
    if (!take_text(cursor, &name, &name_size) || !take_text(cursor, &value, &value_size))
        return false;
    AUTO_FREE char *key = xstrndup(name, name_size); /* to its first NUL, if it has one */
    json_object_set_new(headers, key, json_stringn(value, value_size));
    return true;
}

json_t *spdy_headers_read(spdy_headers_t *self, const void *block, size_t size, err_t *err)
{
    uint8_t plain[SPDY_HEADERS_MAX];
    ssize_t length = unpack(&self->unpacker, block, size, plain, sizeof(plain));
    cursor_t cursor = {plain, length > 0 ? (size_t)length : 0};
    uint32_t count;
    bool is_good = length >= 0 && take_number(&cursor, &count);
    json_t *headers = json_object();
    for (uint32_t i = 0; is_good && i < count; i++)
        is_good = take_header(&cursor, headers);
    if (is_good)
        return headers;
    json_decref(headers);
    (void)err_set(err, ERR_INVALID, "spdy: a block of headers is broken or too long");
    return NULL;
}

/* ---- writing -------------------------------------------------------------------------------- */

size_t spdy_headers_write_none(spdy_headers_t *self, uint8_t block[SPDY_EMPTY_BLOCK_MAX])
{
    static const uint8_t none[4]; /* how many there are */
    self->packer.next_in = (Bytef *)none;
    self->packer.avail_in = sizeof(none);
    self->packer.next_out = block;
    self->packer.avail_out = SPDY_EMPTY_BLOCK_MAX;
    if (deflate(&self->packer, Z_SYNC_FLUSH) != Z_OK)
        abort(); /* there is room for far more */
    return SPDY_EMPTY_BLOCK_MAX - self->packer.avail_out;
}
