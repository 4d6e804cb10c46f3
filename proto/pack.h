/* pack - reads MessagePack in place, value by value: no tree, no memory, and never past the end.
 *
 * Each function reads the next value if it is of that kind, and otherwise returns false, after
 * which the reader is of no more use. */
#ifndef PROTO_PACK_H
#define PROTO_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
bool pack_read_int(pack_reader_t *self, int64_t *value_p);

/* Takes integers too: encoders write 1.0 as 1. */
bool pack_read_float(pack_reader_t *self, double *value_p);

/* *text_p points into the input, and is not terminated. */
bool pack_read_str(pack_reader_t *self, const char **text_p, size_t *size_p);
bool pack_read_bin(pack_reader_t *self, const uint8_t **bytes_p, size_t *size_p);

/* The claimed number of items or pairs that follow; never more than the input could hold. */
bool pack_read_array(pack_reader_t *self, uint32_t *count_p);
bool pack_read_map(pack_reader_t *self, uint32_t *count_p);

/* Skips one value with all that is in it. */
bool pack_skip(pack_reader_t *self);

#endif
