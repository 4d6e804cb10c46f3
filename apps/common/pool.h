/* pool - connections nobody uses at the moment, most recently used first. For several threads. */
#ifndef APPS_COMMON_POOL_H
#define APPS_COMMON_POOL_H

#include <pthread.h>
#include <stddef.h>

enum { POOL_LIMIT = 128 };

typedef struct pool {
    pthread_mutex_t lock;
    void (*destroy)(void **connection_p);
    void *idle[POOL_LIMIT];
    size_t count;
} pool_t;

void pool_init(pool_t *self, void (*destroy)(void **connection_p));

/* Destroys what lies in it; nothing may be taken at that time. */
void pool_done(pool_t *self);

/* NULL if there is none: the caller makes one, and puts it back when it is still good. */
void *pool_take(pool_t *self);

/* Takes *connection_p; destroys it if the pool is full. */
void pool_put(pool_t *self, void **connection_p);

/* Destroys all that lie idle: after one of them turned out to be dead, the others are suspect. */
void pool_clear(pool_t *self);

#endif
