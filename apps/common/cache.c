/* The text protocol: https://github.com/memcached/memcached/blob/master/doc/protocol.txt */
#include "apps/common/cache.h"

#include "apps/common/dial.h"
#include "apps/common/pool.h"
#include "base/auto.h"
#include "base/mem.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DIAL_TIMEOUT_MS = 1000, IO_TIMEOUT_MS = 2000 };

struct cache {
    app_t *app; /* borrowed */
    char *address;
    pool_t pool;
};

typedef struct connection {
    int fd;
    char *answer; /* of size bytes */
    size_t size;
    size_t capacity;
} connection_t;

static void connection_destroy(void **connection_p)
{
    connection_t *connection = *connection_p;
    if (!connection)
        return;
    close(connection->fd);
    free(connection->answer);
    free(connection);
    *connection_p = NULL;
}

/* ---- answers -------------------------------------------------------------------------------- */

/* "VALUE key flags size\r\n" up to end; the key is NUL-terminated into key_p. */
static int read_value_line(const char *line, const char *end, char *key_p, size_t *size_p)
{
    char text[CACHE_KEY_LIMIT + 64];
    size_t length = (size_t)(end - line);
    if (length >= sizeof(text))
        return -1;
    memcpy(text, line, length);
    text[length] = '\0';
    unsigned long size = 0;
    int used = 0;
    if (sscanf(text, "VALUE %250s %*u %7lu%n", key_p, &size, &used) != 2)
        return -1;
    if ((size_t)used != length || size > CACHE_ANSWER_LIMIT)
        return -1;
    *size_p = size;
    return 0;
}

int cache_read_values(const char *data, size_t size, cache_value_fn *on_value, void *arg)
{
    const char *end = data + size;
    while (data < end) {
        char key[CACHE_KEY_LIMIT + 1];
        size_t value_size = 0;
        const char *line_end = memchr(data, '\n', (size_t)(end - data));
        if (!line_end)
            return end - data > CACHE_KEY_LIMIT + 64 ? -1 : 0;
        if (line_end == data || line_end[-1] != '\r')
            return -1;
        if (line_end - data == 4 && memcmp(data, "END", 3) == 0)
            return 1;
        if (read_value_line(data, line_end - 1, key, &value_size) < 0)
            return -1;
        const char *value = line_end + 1;
        if ((size_t)(end - value) < value_size + 2)
            return 0;
        if (memcmp(value + value_size, "\r\n", 2) != 0)
            return -1;
        if (on_value)
            on_value(arg, key, value, value_size);
        data = value + value_size + 2;
    }
    return 0;
}

/* A line that ends the answer to set or delete. */
static int read_line_answer(const char *data, size_t size)
{
    if (size > 256)
        return -1;
    return size >= 2 && memcmp(data + size - 2, "\r\n", 2) == 0;
}

static int is_whole(const connection_t *connection, bool is_get)
{
    return is_get ? cache_read_values(connection->answer, connection->size, NULL, NULL)
                  : read_line_answer(connection->answer, connection->size);
}

/* ---- exchanges ------------------------------------------------------------------------------ */

static int fail(const cache_t *self, err_t *err)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return err_set(err, ERR_TIMEOUT, "no answer from memcached %s within %d ms", self->address,
            IO_TIMEOUT_MS);
    return err_set(err, ERR_UNAVAILABLE, "connection to memcached %s lost: %s", self->address,
        errno ? strerror(errno) : "EOF");
}

static int send_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            return -1;
        data += sent < 0 ? 0 : sent;
        size -= sent < 0 ? 0 : (size_t)sent;
    }
    return 0;
}

/* Appends what has come; 0 or -1 with errno (0 at the end of the stream). */
static int receive_more(connection_t *connection)
{
    if (connection->capacity - connection->size < 4096) {
        connection->capacity = (connection->size + 4096) * 2;
        connection->answer = mem_check(realloc(connection->answer, connection->capacity));
    }
    errno = 0;
    ssize_t count = recv(connection->fd, connection->answer + connection->size,
        connection->capacity - connection->size, 0);
    if (count < 0 && errno == EINTR)
        return 0;
    if (count <= 0)
        return -1;
    connection->size += (size_t)count;
    return 0;
}

static int exchange(cache_t *self, connection_t *connection, const char *request, size_t size,
    bool is_get, err_t *err)
{
    connection->size = 0;
    errno = 0;
    if (send_all(connection->fd, request, size) < 0)
        return fail(self, err);
    for (;;) {
        int state = connection->size ? is_whole(connection, is_get) : 0;
        if (state > 0)
            return 0;
        if (state < 0 || connection->size > CACHE_ANSWER_LIMIT)
            return err_set(err, ERR_IO, "memcached %s answered '%.*s'", self->address,
                (int)(connection->size < 40 ? connection->size : 40), connection->answer);
        if (receive_more(connection) < 0)
            return fail(self, err);
    }
}

static int connect_once(cache_t *self, void **connection_p, err_t *err)
{
    int fd = dial(self->address, DIAL_TIMEOUT_MS, IO_TIMEOUT_MS, err);
    if (fd < 0)
        return fd;
    connection_t *connection = xcalloc(1, sizeof(*connection));
    connection->fd = fd;
    *connection_p = connection;
    return 0;
}

/* Leaves in *connection_p a connection with a whole answer, for pool_put(). */
static int ask(
    cache_t *self, void **connection_p, const char *request, size_t size, bool is_get, err_t *err)
{
    *connection_p = pool_take(&self->pool);
    if (*connection_p) {
        int rc = exchange(self, *connection_p, request, size, is_get, err);
        if (rc >= 0)
            return 0;
        connection_destroy(connection_p);
        if (rc != -ERR_UNAVAILABLE)
            return rc;
        pool_clear(&self->pool);
    }
    int rc = connect_once(self, connection_p, err);
    if (rc == 0)
        rc = exchange(self, *connection_p, request, size, is_get, err);
    if (rc < 0)
        connection_destroy(connection_p);
    return rc;
}

static int ask_counted(
    cache_t *self, void **connection_p, const char *request, size_t size, bool is_get, err_t *err)
{
    int rc = ask(self, connection_p, request, size, is_get, err);
    if (rc < 0) {
        char labels[160];
        snprintf(labels, sizeof(labels), "peer=\"%s\",reason=\"%s\"", self->address,
            err_code_name((err_code_t)-rc));
        stats_count(self->app->stats, "downstream_errors_total",
            "Calls to other services and stores that failed", labels);
    }
    return rc;
}

/* ---- commands ------------------------------------------------------------------------------- */

static int check_key(const char *key, err_t *err)
{
    size_t length = strlen(key);
    if (length == 0 || length > CACHE_KEY_LIMIT)
        return err_set(err, ERR_INVALID, "cache key of %zu characters", length);
    for (const char *c = key; *c; c++) {
        if ((unsigned char)*c <= ' ' || *c == 0x7f)
            return err_set(err, ERR_INVALID, "cache key with a space or control character");
    }
    return 0;
}

int cache_get(cache_t *self, const char *const *keys, size_t key_count, cache_value_fn *on_value,
    void *arg, err_t *err)
{
    if (key_count == 0)
        return 0;
    AUTO_FREE char *request = NULL;
    size_t size = 0;
    FILE *out = mem_check(open_memstream(&request, &size));
    int rc = 0;
    fputs("get", out);
    for (size_t i = 0; i < key_count && rc == 0; i++) {
        rc = check_key(keys[i], err);
        fprintf(out, " %s", keys[i]);
    }
    fputs("\r\n", out);
    fclose(out);
    if (rc < 0)
        return rc;

    void *connection = NULL;
    rc = ask_counted(self, &connection, request, size, true, err);
    if (rc < 0)
        return rc;
    const connection_t *answered = connection;
    cache_read_values(answered->answer, answered->size, on_value, arg);
    pool_put(&self->pool, &connection);
    return 0;
}

/* Sends a command whose answer is one line. */
static int command(cache_t *self, const char *request, size_t size, err_t *err)
{
    void *connection = NULL;
    int rc = ask_counted(self, &connection, request, size, false, err);
    if (rc < 0)
        return rc;
    const connection_t *answered = connection;
    bool is_refused = memmem(answered->answer, answered->size, "ERROR", 5) != NULL;
    if (is_refused)
        rc = err_set(err, ERR_IO, "memcached %s: %.*s", self->address, (int)answered->size - 2,
            answered->answer);
    pool_put(&self->pool, &connection);
    return rc;
}

int cache_set(cache_t *self, const char *key, const char *value, size_t size, err_t *err)
{
    int rc = check_key(key, err);
    if (rc < 0)
        return rc;
    AUTO_FREE char *request = NULL;
    size_t request_size = 0;
    FILE *out = mem_check(open_memstream(&request, &request_size));
    fprintf(out, "set %s 0 0 %zu\r\n", key, size);
    fwrite(value, 1, size, out);
    fputs("\r\n", out);
    fclose(out);
    return command(self, request, request_size, err);
}

int cache_delete(cache_t *self, const char *key, err_t *err)
{
    int rc = check_key(key, err);
    if (rc < 0)
        return rc;
    AUTO_FREE char *request = xasprintf("delete %s\r\n", key);
    return command(self, request, strlen(request), err);
}

/* ---- life cycle ----------------------------------------------------------------------------- */

cache_t *cache_new(app_t *app, const char *address)
{
    cache_t *self = xcalloc(1, sizeof(*self));
    self->app = app;
    self->address = xstrdup(address);
    pool_init(&self->pool, connection_destroy);
    return self;
}

void cache_destroy(cache_t **self_p)
{
    cache_t *self = *self_p;
    if (!self)
        return;
    pool_done(&self->pool);
    free(self->address);
    free(self);
    *self_p = NULL;
}
