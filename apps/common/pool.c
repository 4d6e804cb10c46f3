#include "apps/common/pool.h"

void pool_init(pool_t *self, void (*destroy)(void **connection_p))
{
    pthread_mutex_init(&self->lock, NULL);
    self->destroy = destroy;
    self->count = 0;
}

void *pool_take(pool_t *self)
{
    pthread_mutex_lock(&self->lock);
    void *connection = self->count ? self->idle[--self->count] : NULL;
    pthread_mutex_unlock(&self->lock);
    return connection;
}

void pool_put(pool_t *self, void **connection_p)
{
    pthread_mutex_lock(&self->lock);
    if (self->count < POOL_LIMIT) {
        self->idle[self->count++] = *connection_p;
        *connection_p = NULL;
    }
    pthread_mutex_unlock(&self->lock);
    if (*connection_p)
        self->destroy(connection_p);
}

void pool_clear(pool_t *self)
{
    for (void *connection = pool_take(self); connection; connection = pool_take(self))
        self->destroy(&connection);
}

void pool_done(pool_t *self)
{
    pool_clear(self);
    pthread_mutex_destroy(&self->lock);
}
