#include "tests/support/http_stub.h"

#include "base/auto.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <microhttpd.h>

enum { STREAM_LIMIT = 16, BLOCK_SIZE = 4096 };

typedef struct stream {
    struct MHD_Connection *connection; /* NULL: free */
    char *pending;
    bool is_suspended;
    bool is_over;
} stream_t;

typedef struct exchange {
    char *body;
    size_t size;
    char *query;
    bool is_silent;
} exchange_t;

struct http_stub {
    ev_t *ev; /* borrowed */
    struct MHD_Daemon *daemon;
    http_stub_fn *fn;
    void *arg;
    char url[64];
    int timer_id;
    stream_t streams[STREAM_LIMIT];
    size_t connections;
    struct MHD_Connection *silent[STREAM_LIMIT];
    size_t silent_count;
};

static void run(http_stub_t *self);

static void on_due(void *arg)
{
    http_stub_t *self = arg;
    self->timer_id = 0;
    run(self);
}

static void on_ready(void *arg, int fd, uint32_t events)
{
    (void)fd;
    (void)events;
    run(arg);
}

static void run(http_stub_t *self)
{
    MHD_run(self->daemon);
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;
    ev_cancel(self->ev, self->timer_id);
    self->timer_id = MHD_get_timeout(self->daemon, &wait_ms) == MHD_YES
                         ? ev_after(self->ev, (int64_t)wait_ms, on_due, self)
                         : 0;
}

static ssize_t on_stream(void *arg, uint64_t position, char *bytes, size_t limit)
{
    (void)position;
    stream_t *stream = arg;
    size_t size = stream->pending ? strlen(stream->pending) : 0;
    if (!size && stream->is_over)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (!size) {
        stream->is_suspended = true;
        MHD_suspend_connection(stream->connection);
        return 0;
    }
    size = size < limit ? size : limit;
    memcpy(bytes, stream->pending, size);
    char *rest = xstrdup(stream->pending + size);
    free(stream->pending);
    stream->pending = rest;
    return (ssize_t)size;
}

static void on_stream_free(void *arg)
{
    stream_t *stream = arg;
    free(stream->pending);
    *stream = (stream_t){0};
}

static struct MHD_Response *stream_response(
    http_stub_t *self, struct MHD_Connection *connection, char *first)
{
    stream_t *stream = self->streams;
    while (stream->connection)
        stream++;
    *stream = (stream_t){.connection = connection, .pending = first};
    return MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, BLOCK_SIZE, on_stream, stream, on_stream_free);
}

static enum MHD_Result on_argument(
    void *arg, enum MHD_ValueKind kind, const char *key, const char *value)
{
    (void)kind;
    char **query = arg;
    char *joined = xasprintf("%s%s%s=%s", *query, **query ? "&" : "", key, value ? value : "");
    free(*query);
    *query = joined;
    return MHD_YES;
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
    return value ? value : "";
}

static enum MHD_Result answer(http_stub_t *self, struct MHD_Connection *connection,
    exchange_t *exchange, const char *method, const char *path)
{
    exchange->query = xstrdup("");
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, on_argument, &exchange->query);
    const char *bearer = header(connection, "Authorization");
    http_stub_request_t request = {.method = method,
        .path = path,
        .query = exchange->query,
        .token = strncmp(bearer, "Bearer ", 7) == 0 ? bearer + 7 : "",
        .content_type = header(connection, "Content-Type"),
        .body = exchange->body ? exchange->body : ""};
    http_stub_answer_t said = {.status = 200};
    self->fn(self->arg, &request, &said);
    if (said.is_silent) {
        free(said.body);
        self->silent[self->silent_count++] = connection;
        MHD_suspend_connection(connection);
        return MHD_YES;
    }
    char *body = said.body ? said.body : xstrdup("");
    struct MHD_Response *response = said.is_unending ? stream_response(self, connection, body)
                                                     : MHD_create_response_from_buffer(
                                                         strlen(body), body, MHD_RESPMEM_MUST_FREE);
    MHD_add_response_header(
        response, "Content-Type", said.content_type ? said.content_type : "application/json");
    enum MHD_Result rc = MHD_queue_response(connection, (unsigned)said.status, response);
    MHD_destroy_response(response);
    return rc;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *path,
    const char *method, const char *version, const char *data, size_t *data_size, void **exchange_p)
{
    (void)version;
    if (!*exchange_p) {
        *exchange_p = xcalloc(1, sizeof(exchange_t));
        return MHD_YES;
    }
    exchange_t *exchange = *exchange_p;
    if (*data_size) {
        exchange->body = mem_check(realloc(exchange->body, exchange->size + *data_size + 1));
        memcpy(exchange->body + exchange->size, data, *data_size);
        exchange->size += *data_size;
        exchange->body[exchange->size] = '\0';
        *data_size = 0;
        return MHD_YES;
    }
    if (exchange->query)
        return MHD_YES; /* resumed only to be closed */
    return answer(arg, connection, exchange, method, path);
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **exchange_p,
    enum MHD_RequestTerminationCode code)
{
    (void)arg;
    (void)connection;
    (void)code;
    exchange_t *exchange = *exchange_p;
    if (exchange) {
        free(exchange->body);
        free(exchange->query);
        free(exchange);
    }
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **socket_arg,
    enum MHD_ConnectionNotificationCode code)
{
    (void)connection;
    (void)socket_arg;
    http_stub_t *self = arg;
    self->connections += code == MHD_CONNECTION_NOTIFY_STARTED ? 1 : 0;
}

http_stub_t *http_stub_new(
    ev_t *ev, const char *cert_pem, const char *key_pem, http_stub_fn *fn, void *arg)
{
    http_stub_t *self = xcalloc(1, sizeof(*self));
    self->ev = ev;
    self->fn = fn;
    self->arg = arg;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)cert_pem},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)key_pem}, {MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
    self->daemon =
        MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (cert_pem ? MHD_USE_TLS : 0u),
            0, NULL, NULL, on_request, self, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
            MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION,
            on_connection, self, MHD_OPTION_ARRAY, cert_pem ? tls : plain, MHD_OPTION_END);
    mem_check(self->daemon);
    (void)snprintf(self->url, sizeof(self->url), "%s://127.0.0.1:%u", cert_pem ? "https" : "http",
        MHD_get_daemon_info(self->daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    ev_fd(ev, MHD_get_daemon_info(self->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, EPOLLIN,
        on_ready, self);
    return self;
}

static void wake(http_stub_t *self, stream_t *stream)
{
    if (stream->is_suspended) {
        stream->is_suspended = false;
        MHD_resume_connection(stream->connection);
    }
    ev_cancel(self->ev, self->timer_id);
    self->timer_id = ev_after(self->ev, 0, on_due, self);
}

void http_stub_push(http_stub_t *self, const char *text)
{
    for (stream_t *stream = self->streams; stream < self->streams + STREAM_LIMIT; stream++) {
        if (!stream->connection)
            continue;
        char *joined = xasprintf("%s%s", stream->pending ? stream->pending : "", text);
        free(stream->pending);
        stream->pending = joined;
        wake(self, stream);
    }
}

void http_stub_hang_up(http_stub_t *self)
{
    for (stream_t *stream = self->streams; stream < self->streams + STREAM_LIMIT; stream++) {
        if (!stream->connection)
            continue;
        stream->is_over = true;
        wake(self, stream);
    }
}

const char *http_stub_url(const http_stub_t *self)
{
    return self->url;
}

size_t http_stub_connections(const http_stub_t *self)
{
    return self->connections;
}

void http_stub_destroy(http_stub_t **self_p)
{
    http_stub_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    http_stub_hang_up(self);
    for (size_t i = 0; i < self->silent_count; i++)
        MHD_resume_connection(self->silent[i]);
    ev_fd_end(self->ev, MHD_get_daemon_info(self->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd);
    ev_cancel(self->ev, self->timer_id);
    MHD_stop_daemon(self->daemon);
    free(self);
}
