/* cache - a memcached server in front of a store. For several threads. */
#ifndef APPS_COMMON_CACHE_H
#define APPS_COMMON_CACHE_H

#include "apps/common/app.h"
#include "base/err.h"

#include <stddef.h>

typedef struct cache cache_t;
typedef void(cache_value_fn)(void *arg, const char *key, const char *value, size_t size);

enum { CACHE_KEY_LIMIT = 250, CACHE_ANSWER_LIMIT = 1 << 20 };

/* Nothing is connected yet. address is "host:port" and copied. */
cache_t *cache_new(app_t *app, const char *address);
void cache_destroy(cache_t **self_p);

/* Calls on_value for each key that is cached, in any order. A key that is too long or has spaces is
 * -ERR_INVALID; a server that does not answer is an error, as in the original, not a miss. */
int cache_get(cache_t *self, const char *const *keys, size_t key_count, cache_value_fn *on_value,
    void *arg, err_t *err);

/* Stores a value until memcached needs the room. */
int cache_set(cache_t *self, const char *key, const char *value, size_t size, err_t *err);

/* Forgets a key; it is no error if it was not there. */
int cache_delete(cache_t *self, const char *key, err_t *err);

/* Reads the answer to a get from the start of data: 1 when it is whole (after calling on_value for
 * each value), 0 when more must come, -1 when it is not such an answer. With on_value NULL it only
 * looks. */
int cache_read_values(const char *data, size_t size, cache_value_fn *on_value, void *arg);

#endif
