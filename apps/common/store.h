/* store - the database of a service: Redis, in place of the original's MongoDB. For several
 * threads. */
#ifndef APPS_COMMON_STORE_H
#define APPS_COMMON_STORE_H

#include "apps/common/app.h"
#include "base/err.h"

#include <hiredis.h>

typedef struct store store_t;

typedef struct store_config {
    const char *address; /* host:port */
    const char *user;
    const char *password;
    int wait_ms; /* how long to look for a server that does not answer yet */
} store_config_t;

/* Connects and authenticates. As MongoDB's drivers do, it looks for a server that refuses or does
 * not resolve for a bounded time (other pods start meanwhile); a refused password ends it at once.
 * *err names the address and the user. Ends early with ERR_STATE when the program should. */
store_t *store_open(app_t *app, const store_config_t *config, err_t *err);
void store_destroy(store_t **self_p);

/* Runs one command, built as by redisCommand(). Returns a reply that is not an error, for
 * store_reply_free(), or NULL. A command that meets a dead kept connection runs once more. */
redisReply *store_run(store_t *self, err_t *err, const char *format, ...);

/* The same with the words of the command in an array. */
redisReply *store_run_words(store_t *self, const char **words, size_t word_count, err_t *err);

/* For AUTO(store_reply_free). NULL-safe. */
void store_reply_free(redisReply **reply_p);

#endif
