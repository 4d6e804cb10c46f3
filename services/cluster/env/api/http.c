/* libmicrohttpd, driven by its epoll descriptor.
 *
 * The library runs only inside run(), which the loop calls when the descriptor is ready, when the
 * library's own timer is due, and after a connection was resumed. A suspended connection is not
 * looked at by the library, so its socket is also watched here for the client's leaving. */
#include "services/cluster/env/api/http.h"

#include "services/cluster/env/api/http_headers.h"
#include "services/cluster/env/api/http_upgrade.h"

#include "base/auto.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <unistd.h>

enum { BODY_MAX = 3 << 20, STREAM_BLOCK = 16 << 10, CONNECTIONS_MAX = 1000 };

typedef struct exchange exchange_t;

struct http_server {
    ev_t *ev; /* borrowed */
    struct MHD_Daemon *daemon;
    int epoll_fd;
    int timer;
    int run_timer;
    bool is_running; /* inside MHD_run() */
    http_handle_fn *handle;
    void *arg;
    exchange_t *exchanges; /* under way */
};

/* What a connection's request needs beside the request itself. */
struct exchange {
    request_t *request;
    http_server_t *server; /* borrowed */
    struct MHD_Connection *connection;
    int fd;
    bool is_suspended;
    bool is_gone;
    http_upgrade_t *upgrade; /* or NULL */
    exchange_t *next;
    exchange_t **link;
};

/* ---- the library's turns ------------------------------------------------------------------ */

static void on_timer(void *arg);

static void run(http_server_t *self)
{
    MHD_UNSIGNED_LONG_LONG delay_ms;
    self->is_running = true;
    MHD_run(self->daemon);
    self->is_running = false;
    ev_cancel(self->ev, self->timer);
    self->timer = 0;
    if (MHD_get_timeout(self->daemon, &delay_ms) == MHD_YES)
        self->timer = ev_after(self->ev, (int64_t)delay_ms, on_timer, self);
}

static void on_timer(void *arg)
{
    http_server_t *self = arg;
    self->timer = 0;
    run(self);
}

static void on_run_timer(void *arg)
{
    http_server_t *self = arg;
    self->run_timer = 0;
    run(self);
}

static void on_ready(void *arg, int fd, uint32_t events)
{
    (void)fd;
    (void)events;
    run(arg);
}

/* ---- suspending --------------------------------------------------------------------------- */

/* Soon, and not from within a call of the library's. */
static void run_later(http_server_t *self)
{
    if (!self->run_timer)
        self->run_timer = ev_after(self->ev, 0, on_run_timer, self);
}

static void resume(exchange_t *self)
{
    if (!self->is_suspended)
        return;
    self->is_suspended = false;
    ev_fd_end(self->server->ev, self->fd);
    MHD_resume_connection(self->connection);
    run_later(self->server);
}

static void on_client_left(void *arg, int fd, uint32_t events)
{
    exchange_t *self = arg;
    (void)fd;
    (void)events;
    self->is_gone = true;
    resume(self);
}

static void suspend(exchange_t *self)
{
    if (self->is_suspended)
        return;
    self->is_suspended = true;
    MHD_suspend_connection(self->connection);
    ev_fd(self->server->ev, self->fd, EPOLLRDHUP, on_client_left, self);
}

static void on_answer(request_t *request)
{
    resume(request->connection);
}

static void on_stream_wake(void *reader)
{
    resume(reader);
}

/* ---- answers ------------------------------------------------------------------------------ */

static ssize_t read_stream(void *arg, uint64_t position, char *out, size_t size)
{
    exchange_t *self = arg;
    bool is_end;
    (void)position;
    if (self->is_gone)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t taken = stream_read(self->request->reply.stream, out, size, &is_end);
    if (taken)
        return (ssize_t)taken;
    if (is_end)
        return MHD_CONTENT_READER_END_OF_STREAM;
    suspend(self);
    return 0;
}

static struct MHD_Response *make_response(exchange_t *self)
{
    reply_t *reply = &self->request->reply;
    if (reply->stream) {
        reply->stream->on_wake = on_stream_wake;
        reply->stream->reader = self;
        return MHD_create_response_from_callback(
            MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, self, NULL);
    }
    char *bytes = reply->body.bytes;
    size_t size = reply->body.size;
    reply->body = (buffer_t){0};
    return bytes ? MHD_create_response_from_buffer(size, bytes, MHD_RESPMEM_MUST_FREE)
                 : MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
}

/* Warning: 299 - "text", RFC 7234 */
static void add_warnings(struct MHD_Response *response, const json_t *warnings)
{
    size_t i;
    json_t *warning;
    json_array_foreach(warnings, i, warning)
    {
        AUTO_FREE char *quoted = json_dumps(warning, JSON_ENCODE_ANY);
        AUTO_FREE char *header = xasprintf("299 - %s", quoted);
        MHD_add_response_header(response, "Warning", header);
    }
}

static void on_upgrade_closed(void *arg)
{
    exchange_t *self = arg;
    run_later(self->server);
}

static enum MHD_Result queue_upgrade(exchange_t *self)
{
    self->upgrade = http_upgrade_new(
        self->server->ev, self->request->reply.upgrade, self->fd, on_upgrade_closed, self);
    struct MHD_Response *response = http_upgrade_response(self->upgrade);
    enum MHD_Result result = MHD_queue_response(self->connection, 101, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result queue_answer(exchange_t *self)
{
    reply_t *reply = &self->request->reply;
    if (reply->upgrade)
        return queue_upgrade(self);
    struct MHD_Response *response = make_response(self);
    MHD_add_response_header(response, "Content-Type", reply->content_type);
    MHD_add_response_header(response, "Cache-Control", "no-cache, private");
    add_warnings(response, reply->warnings);
    if (reply->has_exit_code) {
        AUTO_FREE char *code = xasprintf("%d", reply->exit_code);
        MHD_add_response_header(response, "X-Exit-Code", code);
    }
    self->request->is_queued = true;
    enum MHD_Result result =
        MHD_queue_response(self->connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return result;
}

/* ---- requests ----------------------------------------------------------------------------- */

static void start(exchange_t *self, const char *method)
{
    request_t *request = self->request;
    http_headers_read(self->connection, method, request);
    request->connection = self;
    request->on_answer = on_answer;
    request->is_started = true;
    self->fd =
        MHD_get_connection_info(self->connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

/* Once before the body, once for each piece of it, once at its end, and again when resumed. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload, size_t *upload_size,
    void **exchange_p)
{
    http_server_t *server = arg;
    exchange_t *self = *exchange_p;
    (void)connection;
    (void)url;
    (void)version;
    if (!self->request->is_started) {
        start(self, method);
        return MHD_YES;
    }
    if (*upload_size) {
        if (self->request->body.size + *upload_size > BODY_MAX)
            self->request->is_too_large = true;
        else
            buffer_add(&self->request->body, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    if (self->is_gone)
        return MHD_NO;
    if (!self->request->owner) {
        self->request->owner = server->arg;
        server->handle(server->arg, self->request);
    }
    if (self->request->reply.status)
        return queue_answer(self);
    suspend(self);
    return MHD_YES;
}

static void *on_uri(void *arg, const char *uri, struct MHD_Connection *connection)
{
    http_server_t *server = arg;
    exchange_t *self = xcalloc(1, sizeof(*self));
    self->server = server;
    self->connection = connection;
    self->request = request_new("GET", uri);
    self->next = server->exchanges;
    self->link = &server->exchanges;
    if (self->next)
        self->next->link = &self->next;
    server->exchanges = self;
    return self;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **exchange_p,
    enum MHD_RequestTerminationCode code)
{
    exchange_t *self = *exchange_p;
    (void)arg;
    (void)connection;
    (void)code;
    if (!self)
        return;
    if (self->is_suspended)
        ev_fd_end(self->server->ev, self->fd);
    self->is_suspended = false;
    *self->link = self->next;
    if (self->next)
        self->next->link = self->link;
    self->request->on_answer = NULL;
    http_upgrade_destroy(&self->upgrade);
    request_destroy(&self->request);
    free(self);
    *exchange_p = NULL;
}

/* ---- life cycle --------------------------------------------------------------------------- */

static void ignore_log(void *arg, const char *format, va_list args)
{
    (void)arg;
    (void)format;
    (void)args;
}

http_server_t *http_server_new(ev_t *ev, int listen_fd, const http_tls_t *tls, err_t *err)
{
    unsigned flags =
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem secure[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)tls->cert_pem},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)tls->key_pem},
        {tls->client_ca_pem ? MHD_OPTION_HTTPS_MEM_TRUST : MHD_OPTION_END, 0,
            (void *)tls->client_ca_pem},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    http_server_t *self = xcalloc(1, sizeof(*self));
    self->ev = ev;
    self->daemon = MHD_start_daemon(flags | (tls->cert_pem ? MHD_USE_TLS : 0), 0, NULL, NULL,
        on_request, self, MHD_OPTION_EXTERNAL_LOGGER, ignore_log, NULL, MHD_OPTION_LISTEN_SOCKET,
        listen_fd, MHD_OPTION_URI_LOG_CALLBACK, on_uri, self, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, self, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_ARRAY, tls->cert_pem ? secure : none, MHD_OPTION_END);
    if (!self->daemon) {
        err_set(err, ERR_IO, "cannot serve the API: the HTTP library refuses its socket or key");
        free(self);
        return NULL;
    }
    self->epoll_fd = MHD_get_daemon_info(self->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    ev_fd(ev, self->epoll_fd, EPOLLIN, on_ready, self);
    return self;
}

void http_server_handle(http_server_t *self, http_handle_fn *handle, void *arg)
{
    self->handle = handle;
    self->arg = arg;
}

void http_server_destroy(http_server_t **self_p)
{
    http_server_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    ev_fd_end(self->ev, self->epoll_fd);
    ev_cancel(self->ev, self->timer);
    for (exchange_t *exchange = self->exchanges; exchange; exchange = exchange->next) {
        exchange->is_gone = true;
        http_upgrade_close(exchange->upgrade);
        resume(exchange); /* the library will not stop with suspended connections */
    }
    ev_cancel(self->ev, self->run_timer);
    MHD_stop_daemon(self->daemon);
    free(self);
}
