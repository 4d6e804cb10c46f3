/* pack - reads MessagePack in place, value by value: no tree, no memory, and never past the end.
 *
 * Each function reads the next value if it is of that kind, and otherwise returns false, after
 * which the reader is of no more use. */
#ifndef PROTO_PACK_H
#define PROTO_PACK_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct pack_reader {
    const uint8_t *at;
    const uint8_t *end;
} pack_reader_t;

typedef enum {
    PACK_NIL,
    PACK_BOOL,
    PACK_INT,
    PACK_FLOAT,
    PACK_STR,
    PACK_BIN,
    PACK_ARRAY,
    PACK_MAP,
    PACK_OTHER, /* an extension, or the end of the input */
} pack_kind_t;

/* What comes next. */
pack_kind_t pack_next(const pack_reader_t *self);

bool pack_read_nil(pack_reader_t *self);
bool pack_read_bool(pack_reader_t *self, bool *value_p);

/* Refuses what does not fit. */
static inline bool pack_read_int(pack_reader_t *self, int64_t *value_p);

/* Takes integers too: encoders write 1.0 as 1. */
bool pack_read_float(pack_reader_t *self, double *value_p);

/* *text_p points into the input, and is not terminated. */
static inline bool pack_read_str(pack_reader_t *self, const char **text_p, size_t *size_p);
bool pack_read_bin(pack_reader_t *self, const uint8_t **bytes_p, size_t *size_p);

/* The claimed number of items or pairs that follow; never more than the input could hold. */
bool pack_read_array(pack_reader_t *self, uint32_t *count_p);
bool pack_read_map(pack_reader_t *self, uint32_t *count_p);

/* Skips one value with all that is in it. */
bool pack_skip(pack_reader_t *self);

/* ---- the short forms, of which most messages are made, without a call ----------------------- */

enum { PACK_UINT64 = 0xcf };

bool pack_read_any_int(pack_reader_t *self, int64_t *value_p);
bool pack_read_any_str(pack_reader_t *self, const char **text_p, size_t *size_p);

static inline bool pack_read_int(pack_reader_t *self, int64_t *value_p)
{
    if (self->at < self->end && *self->at < 0x80) {
        *value_p = *self->at++;
        return true;
    }
    if (self->end - self->at > 8 && *self->at == PACK_UINT64 && self->at[1] < 0x80) {
        uint64_t number;
        memcpy(&number, self->at + 1, sizeof(number));
        *value_p = (int64_t)be64toh(number);
        self->at += 9;
        return true;
    }
    return pack_read_any_int(self, value_p);
}

static inline bool pack_read_str(pack_reader_t *self, const char **text_p, size_t *size_p)
{
    size_t left = (size_t)(self->end - self->at);
    size_t size = left ? *self->at - 0xa0U : SIZE_MAX;
    if (size > 31 || size >= left)
        return pack_read_any_str(self, text_p, size_p);
    *text_p = (const char *)self->at + 1;
    *size_p = size;
    self->at += 1 + size;
    return true;
}

#endif
