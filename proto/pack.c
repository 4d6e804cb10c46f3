#include "proto/pack.h"

#include <string.h>

/* How the value behind each first byte from 0xc0 to 0xdf goes on: its kind, the width of the number
 * that follows (a length, or the value itself), and how many more bytes there are in any case. */
typedef struct shape {
    uint8_t kind;
    uint8_t width;
    uint8_t fixed;
} shape_t;

static const shape_t shapes[32] = {
    {PACK_NIL, 0, 0},
    {PACK_OTHER, 0, 0},
    {PACK_BOOL, 0, 0},
    {PACK_BOOL, 0, 0},
    {PACK_BIN, 1, 0},
    {PACK_BIN, 2, 0},
    {PACK_BIN, 4, 0},
    {PACK_OTHER, 1, 1},
    {PACK_OTHER, 2, 1},
    {PACK_OTHER, 4, 1}, /* ext 8, 16, 32 */
    {PACK_FLOAT, 4, 0},
    {PACK_FLOAT, 8, 0},
    {PACK_INT, 1, 0},
    {PACK_INT, 2, 0},
    {PACK_INT, 4, 0},
    {PACK_INT, 8, 0}, /* uint */
    {PACK_INT, 1, 0},
    {PACK_INT, 2, 0},
    {PACK_INT, 4, 0},
    {PACK_INT, 8, 0}, /* int */
    {PACK_OTHER, 0, 2},
    {PACK_OTHER, 0, 3},
    {PACK_OTHER, 0, 5},
    {PACK_OTHER, 0, 9},
    {PACK_OTHER, 0, 17}, /* fixext 1 to 16 */
    {PACK_STR, 1, 0},
    {PACK_STR, 2, 0},
    {PACK_STR, 4, 0},
    {PACK_ARRAY, 2, 0},
    {PACK_ARRAY, 4, 0},
    {PACK_MAP, 2, 0},
    {PACK_MAP, 4, 0},
};

enum { FIRST_NEVER = 0xc1, FIRST_TRUE = 0xc3, FIRST_UINT = 0xcc, FIRST_INT = 0xd0 };

static size_t left(const pack_reader_t *self)
{
    return (size_t)(self->end - self->at);
}

static pack_kind_t kind_of(uint8_t first)
{
    if (first < 0x80 || first >= 0xe0)
        return PACK_INT;
    if (first < 0x90)
        return PACK_MAP;
    if (first < 0xa0)
        return PACK_ARRAY;
    if (first < 0xc0)
        return PACK_STR;
    return (pack_kind_t)shapes[first - 0xc0].kind;
}

pack_kind_t pack_next(const pack_reader_t *self)
{
    return left(self) ? kind_of(*self->at) : PACK_OTHER;
}

/* The big-endian number of `width` bytes behind the first byte; moves past both. */
static bool read_number(pack_reader_t *self, size_t width, uint64_t *number_p)
{
    if (left(self) < 1 + width)
        return false;
    uint64_t number = 0;
    for (size_t i = 1; i <= width; i++)
        number = number << 8 | self->at[i];
    self->at += 1 + width;
    *number_p = number;
    return true;
}

bool pack_read_nil(pack_reader_t *self)
{
    bool is_nil = pack_next(self) == PACK_NIL;
    self->at += is_nil ? 1 : 0;
    return is_nil;
}

bool pack_read_bool(pack_reader_t *self, bool *value_p)
{
    if (pack_next(self) != PACK_BOOL)
        return false;
    *value_p = *self->at++ == FIRST_TRUE;
    return true;
}

/* The value of a signed number that was read as unsigned. */
static int64_t extend(uint64_t number, size_t width)
{
    unsigned unused = (unsigned)(64 - 8 * width);
    return (int64_t)(number << unused) >> unused;
}

bool pack_read_any_int(pack_reader_t *self, int64_t *value_p)
{
    if (pack_next(self) != PACK_INT)
        return false;
    uint8_t first = *self->at;
    if (first < 0x80 || first >= 0xe0) {
        *value_p = first < 0x80 ? first : first - 0x100;
        self->at++;
        return true;
    }
    size_t width = shapes[first - 0xc0].width;
    uint64_t number;
    if (!read_number(self, width, &number))
        return false;
    if (first < FIRST_INT && number > INT64_MAX)
        return false;
    *value_p = first < FIRST_INT ? (int64_t)number : extend(number, width);
    return true;
}

bool pack_read_float(pack_reader_t *self, double *value_p)
{
    int64_t whole;
    if (pack_next(self) == PACK_INT) {
        if (!pack_read_int(self, &whole))
            return false;
        *value_p = (double)whole;
        return true;
    }
    if (pack_next(self) != PACK_FLOAT)
        return false;
    size_t width = shapes[*self->at - 0xc0].width;
    uint64_t bits;
    if (!read_number(self, width, &bits))
        return false;
    if (width == sizeof(double)) {
        memcpy(value_p, &bits, sizeof(*value_p));
    } else {
        uint32_t narrow_bits = (uint32_t)bits;
        float narrow;
        memcpy(&narrow, &narrow_bits, sizeof(narrow));
        *value_p = (double)narrow;
    }
    return true;
}

/* A length in the first byte, under `mask`, or behind it. */
static bool read_length(pack_reader_t *self, uint8_t mask, uint64_t *length_p)
{
    uint8_t first = *self->at;
    if (first < 0xc0) {
        *length_p = first & mask;
        self->at++;
        return true;
    }
    return read_number(self, shapes[first - 0xc0].width, length_p);
}

bool pack_read_any_str(pack_reader_t *self, const char **text_p, size_t *size_p)
{
    uint64_t length;
    if (pack_next(self) != PACK_STR || !read_length(self, 0x1f, &length) || length > left(self))
        return false;
    *text_p = (const char *)self->at;
    *size_p = length;
    self->at += length;
    return true;
}

bool pack_read_bin(pack_reader_t *self, const uint8_t **bytes_p, size_t *size_p)
{
    uint64_t length;
    if (pack_next(self) != PACK_BIN || !read_length(self, 0, &length) || length > left(self))
        return false;
    *bytes_p = self->at;
    *size_p = length;
    self->at += length;
    return true;
}

bool pack_read_array(pack_reader_t *self, uint32_t *count_p)
{
    uint64_t count;
    if (pack_next(self) != PACK_ARRAY || !read_length(self, 0x0f, &count) || count > left(self))
        return false;
    *count_p = (uint32_t)count;
    return true;
}

bool pack_read_map(pack_reader_t *self, uint32_t *count_p)
{
    uint64_t count;
    if (pack_next(self) != PACK_MAP || !read_length(self, 0x0f, &count) || 2 * count > left(self))
        return false;
    *count_p = (uint32_t)count;
    return true;
}

/* Moves past what belongs to the next value alone; *children_p: how many values are in it. */
static bool skip_one(pack_reader_t *self, uint64_t *children_p)
{
    uint8_t first = *self->at;
    pack_kind_t kind = kind_of(first);
    const shape_t *shape = first >= 0xc0 && first < 0xe0 ? &shapes[first - 0xc0] : NULL;
    uint64_t length = 0;
    *children_p = 0;
    if (first == FIRST_NEVER)
        return false;
    if (kind == PACK_MAP || kind == PACK_ARRAY || kind == PACK_STR || kind == PACK_BIN) {
        if (!read_length(self, kind == PACK_STR ? 0x1f : 0x0f, &length))
            return false;
    } else if (!read_number(self, shape ? shape->width : 0, &length)) {
        return false;
    }
    if (kind == PACK_MAP || kind == PACK_ARRAY) {
        *children_p = kind == PACK_MAP ? 2 * length : length;
        return *children_p <= left(self);
    }
    bool has_bytes = kind == PACK_STR || kind == PACK_BIN || (kind == PACK_OTHER && shape->width);
    uint64_t own = (has_bytes ? length : 0) + (shape ? shape->fixed : 0);
    if (own > left(self))
        return false;
    self->at += own;
    return true;
}

bool pack_skip(pack_reader_t *self)
{
    uint64_t pending = 1;
    for (uint64_t children = 0; pending && left(self); pending += children - 1) {
        if (!skip_one(self, &children))
            return false;
    }
    return pending == 0;
}
