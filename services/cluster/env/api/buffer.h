/* buffer - bytes that grow at the end and are read from the front. */
#ifndef CLUSTER_ENV_API_BUFFER_H
#define CLUSTER_ENV_API_BUFFER_H

#include <stddef.h>

typedef struct buffer {
    char *bytes; /* NUL-terminated once anything was added */
    size_t size;
    size_t capacity;
    size_t offset; /* of the first byte not read yet */
} buffer_t;

void buffer_done(buffer_t *self);
void buffer_add(buffer_t *self, const void *bytes, size_t size);
void buffer_add_text(buffer_t *self, const char *text);
void buffer_format(buffer_t *self, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Bytes not read yet. */
size_t buffer_left(const buffer_t *self);
/* The first size of them are not needed any more. */
void buffer_skip(buffer_t *self, size_t size);
/* Moves at most size bytes to out. */
size_t buffer_take(buffer_t *self, void *out, size_t size);

#endif
