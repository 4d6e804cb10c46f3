/* Bytes that grow. */
#include "services/cluster/env/api/buffer.h"

#include "base/mem.h"

void buffer_done(buffer_t *self)
{
    free(self->bytes);
    *self = (buffer_t){0};
}

/* What was read makes room first: a buffer that is never quite empty must not grow for ever. */
static void drop_read(buffer_t *self)
{
    if (self->offset < self->size / 2)
        return;
    self->size -= self->offset;
    memmove(self->bytes, self->bytes + self->offset, self->size);
    self->offset = 0;
}

static void reserve(buffer_t *self, size_t size)
{
    if (self->size + size < self->capacity)
        return;
    if (self->offset)
        drop_read(self);
    if (self->size + size < self->capacity)
        return;
    size_t capacity = self->capacity ? self->capacity : 256;
    while (capacity <= self->size + size)
        capacity *= 2;
    self->bytes = mem_check(realloc(self->bytes, capacity));
    self->capacity = capacity;
}

void buffer_add(buffer_t *self, const void *bytes, size_t size)
{
    reserve(self, size);
    if (size)
        memcpy(self->bytes + self->size, bytes, size);
    self->size += size;
    self->bytes[self->size] = 0;
}

void buffer_add_text(buffer_t *self, const char *text)
{
    buffer_add(self, text, strlen(text));
}

void buffer_format(buffer_t *self, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = NULL;
    int length = vasprintf(&text, format, args);
    va_end(args);
    buffer_add(self, mem_check(length < 0 ? NULL : text), (size_t)length);
    free(text);
}

size_t buffer_left(const buffer_t *self)
{
    return self->size - self->offset;
}

void buffer_skip(buffer_t *self, size_t size)
{
    self->offset += size;
    if (self->offset == self->size)
        self->offset = self->size = 0;
}

size_t buffer_take(buffer_t *self, void *out, size_t size)
{
    size_t left = buffer_left(self);
    size_t taken = size < left ? size : left;
    if (taken)
        memcpy(out, self->bytes + self->offset, taken);
    buffer_skip(self, taken);
    return taken;
}
