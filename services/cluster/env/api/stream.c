/* An answer in pieces. */
#include "services/cluster/env/api/stream.h"

#include "base/mem.h"

stream_t *stream_new(void (*on_room)(void *arg), void (*on_closed)(void *arg), void *arg)
{
    stream_t *self = xcalloc(1, sizeof(*self));
    self->on_room = on_room;
    self->on_closed = on_closed;
    self->arg = arg;
    return self;
}

void stream_destroy(stream_t **self_p)
{
    stream_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    if (self->on_closed)
        self->on_closed(self->arg);
    buffer_done(&self->pending);
    free(self);
}

void stream_wake(stream_t *self)
{
    if (!self->is_asleep)
        return;
    self->is_asleep = false;
    if (self->on_wake)
        self->on_wake(self->reader);
}

void stream_write(stream_t *self, const void *bytes, size_t size)
{
    buffer_add(&self->pending, bytes, size);
    stream_wake(self);
}

void stream_end(stream_t *self)
{
    self->is_ended = true;
    stream_wake(self);
}

size_t stream_read(stream_t *self, void *out, size_t size, bool *is_end_p)
{
    *is_end_p = false;
    if (!buffer_left(&self->pending) && !self->is_ended && self->on_room)
        self->on_room(self->arg);
    size_t taken = buffer_take(&self->pending, out, size);
    if (taken)
        return taken;
    *is_end_p = self->is_ended;
    self->is_asleep = !self->is_ended;
    return 0;
}
