/* spdy_headers - the compressed blocks of names and values of SPDY/3.1.
 *
 * Each direction of a connection is one zlib stream: every block must pass through, in order. */
#ifndef CLUSTER_ENV_API_SPDY_HEADERS_H
#define CLUSTER_ENV_API_SPDY_HEADERS_H

#include "base/err.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

enum {
    SPDY_DICTIONARY_SIZE = 1423,
    SPDY_HEADERS_MAX = 16 << 10,   /* bytes of a block, unpacked */
    SPDY_EMPTY_BLOCK_MAX = 2 << 10 /* bytes of a packed block without headers */
};

extern const char spdy_dictionary[SPDY_DICTIONARY_SIZE];

typedef struct spdy_headers {
    z_stream unpacker;
    z_stream packer;
} spdy_headers_t;

void spdy_headers_init(spdy_headers_t *self);
void spdy_headers_done(spdy_headers_t *self);

/* Unpacks a block into an object of texts; what is no text is left out. NULL, and of no more use,
 * when the block is none. */
json_t *spdy_headers_read(spdy_headers_t *self, const void *block, size_t size, err_t *err);

/* Packs a block without headers, all that this side ever says; returns its size. */
size_t spdy_headers_write_none(spdy_headers_t *self, uint8_t block[SPDY_EMPTY_BLOCK_MAX]);

#endif
