#include "apps/common/store.h"

#include "apps/common/console.h"
#include "apps/common/dial.h"
#include "apps/common/pool.h"
#include "base/auto.h"
#include "base/mem.h"

#include <errno.h>
#include <time.h>

enum {
    DIAL_TIMEOUT_MS = 1000,
    IO_TIMEOUT_MS = 2000,
    BACKOFF_FIRST_MS = 5,
    BACKOFF_LAST_MS = 200,
};

struct store {
    app_t *app; /* borrowed */
    char *address;
    char *user;
    char *password;
    pool_t pool;
};

static void connection_destroy(void **connection_p)
{
    if (*connection_p)
        redisFree(*connection_p);
    *connection_p = NULL;
}

void store_reply_free(redisReply **reply_p)
{
    if (*reply_p)
        freeReplyObject(*reply_p);
    *reply_p = NULL;
}

static int fail(const store_t *self, const redisContext *connection, err_t *err)
{
    bool is_late = connection->err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK);
    if (is_late)
        return err_set(
            err, ERR_TIMEOUT, "no answer from %s within %d ms", self->address, IO_TIMEOUT_MS);
    return err_set(err, ERR_UNAVAILABLE, "connection to %s lost: %s", self->address,
        connection->err == REDIS_ERR_EOF ? "EOF" : connection->errstr);
}

/* What the server said no to. LOADING passes, so it counts as not being there yet. */
static int refuse(const store_t *self, const char *reason, err_t *err)
{
    err_code_t code = ERR_IO;
    if (strncmp(reason, "LOADING", 7) == 0)
        code = ERR_UNAVAILABLE;
    else if (strncmp(reason, "WRONGPASS", 9) == 0 || strncmp(reason, "NOPERM", 6) == 0
             || strncmp(reason, "NOAUTH", 6) == 0)
        code = ERR_FORBIDDEN;
    return err_set(err, code, "user '%s' at %s: %.150s", self->user, self->address, reason);
}

static int authenticate(const store_t *self, redisContext *connection, err_t *err)
{
    AUTO(store_reply_free)
    redisReply *reply = redisCommand(connection, "AUTH %s %s", self->user, self->password);
    if (!reply)
        return fail(self, connection, err);
    if (reply->type == REDIS_REPLY_ERROR)
        return refuse(self, reply->str, err);
    return 0;
}

static int connect_once(const store_t *self, void **connection_p, err_t *err)
{
    int fd = dial(self->address, DIAL_TIMEOUT_MS, IO_TIMEOUT_MS, err);
    if (fd < 0)
        return fd;
    void *connection = mem_check(redisConnectFd(fd));
    int rc = authenticate(self, connection, err);
    if (rc < 0) {
        connection_destroy(&connection);
        return rc;
    }
    *connection_p = connection;
    return 0;
}

/* ---- commands ------------------------------------------------------------------------------- */

static redisReply *run_once(
    store_t *self, void **connection_p, const char *command, size_t size, err_t *err)
{
    redisContext *connection = *connection_p;
    void *answer = NULL;
    redisAppendFormattedCommand(connection, command, size);
    if (redisGetReply(connection, &answer) != REDIS_OK) {
        fail(self, connection, err);
        connection_destroy(connection_p);
        return NULL;
    }
    pool_put(&self->pool, connection_p);
    redisReply *reply = answer;
    if (reply->type == REDIS_REPLY_ERROR) {
        refuse(self, reply->str, err);
        store_reply_free(&reply);
    }
    return reply;
}

static redisReply *run(store_t *self, const char *command, size_t size, err_t *err)
{
    void *connection = pool_take(&self->pool);
    if (connection) {
        redisReply *reply = run_once(self, &connection, command, size, err);
        if (reply || err->code != ERR_UNAVAILABLE)
            return reply;
        pool_clear(&self->pool);
    }
    if (connect_once(self, &connection, err) < 0)
        return NULL;
    return run_once(self, &connection, command, size, err);
}

static redisReply *run_counted(store_t *self, const char *command, size_t size, err_t *err)
{
    err_t why = {0};
    redisReply *reply = run(self, command, size, &why);
    if (reply)
        return reply;
    char labels[160];
    snprintf(labels, sizeof(labels), "peer=\"%s\",reason=\"%s\"", self->address,
        err_code_name(why.code));
    stats_count(self->app->stats, "downstream_errors_total",
        "Calls to other services and stores that failed", labels);
    err_set(err, why.code, "%s", why.text);
    return NULL;
}

redisReply *store_run(store_t *self, err_t *err, const char *format, ...)
{
    char *command = NULL;
    va_list arguments;
    va_start(arguments, format);
    int size = redisvFormatCommand(&command, format, arguments);
    va_end(arguments);
    mem_check(size < 0 ? NULL : command);
    redisReply *reply = run_counted(self, command, (size_t)size, err);
    redisFreeCommand(command);
    return reply;
}

redisReply *store_run_words(store_t *self, const char **words, size_t word_count, err_t *err)
{
    sds command = NULL;
    int size = redisFormatSdsCommandArgv(&command, (int)word_count, words, NULL);
    mem_check(size < 0 ? NULL : command);
    redisReply *reply = run_counted(self, command, (size_t)size, err);
    redisFreeSdsCommand(command);
    return reply;
}

/* ---- life cycle ----------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool may_pass(int rc)
{
    return rc == -ERR_UNAVAILABLE || rc == -ERR_TIMEOUT;
}

static int connect_within(store_t *self, int wait_ms, err_t *err)
{
    int64_t deadline = now_ms() + wait_ms;
    int delay_ms = BACKOFF_FIRST_MS;
    void *connection = NULL;
    int rc = connect_once(self, &connection, err);
    while (may_pass(rc) && now_ms() + delay_ms < deadline) {
        if (app_wait(self->app, delay_ms))
            return err_set(err, ERR_STATE, "asked to end");
        delay_ms = delay_ms * 2 < BACKOFF_LAST_MS ? delay_ms * 2 : BACKOFF_LAST_MS;
        rc = connect_once(self, &connection, err);
    }
    if (rc == 0)
        pool_put(&self->pool, &connection);
    return rc;
}

store_t *store_open(app_t *app, const store_config_t *config, err_t *err)
{
    AUTO(store_destroy) store_t *self = xcalloc(1, sizeof(*self));
    self->app = app;
    self->address = xstrdup(config->address);
    self->user = xstrdup(config->user);
    self->password = xstrdup(config->password);
    pool_init(&self->pool, connection_destroy);
    console_info("Attempting connection to %s as user '%s'", self->address, self->user);
    int rc = connect_within(self, config->wait_ms, err);
    if (may_pass(rc))
        err_wrap(err, "no reachable server at %s for user '%s' within %d ms", self->address,
            self->user, config->wait_ms);
    else if (rc < 0 && rc != -ERR_STATE)
        err_wrap(err, "authentication failed");
    if (rc < 0)
        return NULL;
    console_info("Successfully connected to %s", self->address);
    return TAKE(self);
}

void store_destroy(store_t **self_p)
{
    store_t *self = *self_p;
    if (!self)
        return;
    pool_done(&self->pool);
    free(self->address);
    free(self->user);
    free(self->password);
    free(self);
    *self_p = NULL;
}
