#include "apps/common/web.h"

#include "apps/common/console.h"
#include "apps/common/filter.h"
#include "base/auto.h"
#include "base/mem.h"

#include <errno.h>
#include <microhttpd.h>
#include <time.h>

enum { THREAD_STACK_SIZE = 256 * 1024, CONNECTION_LIMIT = 512 };

struct web {
    app_t *app; /* borrowed */
    const web_route_t *routes;
    size_t route_count;
    void *service; /* borrowed */
    struct MHD_Daemon *daemon;
};

/* A request while its body comes in. */
typedef struct exchange {
    char *body;
    size_t size;
    bool is_too_large;
} exchange_t;

const char *web_query(const web_request_t *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

void web_reply_json(web_reply_t *reply, int status, json_t *value)
{
    reply->status = status;
    reply->text = mem_check(json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(9)));
    reply->size = strlen(reply->text);
    json_decref(value);
}

void web_reply_text(web_reply_t *reply, int status, const char *text)
{
    reply->status = status;
    reply->content_type = "text/plain; charset=utf-8";
    reply->text = xasprintf("%s\n", text);
    reply->size = strlen(reply->text);
}

/* ---- what a request becomes ---------------------------------------------------------------- */

static bool is_match(const char *pattern, const char *path)
{
    size_t length = strlen(pattern);
    if (length > 0 && pattern[length - 1] == '*')
        return strncmp(pattern, path, length - 1) == 0;
    return strcmp(pattern, path) == 0;
}

static const web_route_t *find_route(const web_t *self, const web_request_t *request)
{
    for (size_t i = 0; i < self->route_count; i++) {
        const web_route_t *route = &self->routes[i];
        if (is_match(route->method, request->method) && is_match(route->path, request->path))
            return route;
    }
    return NULL;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void note(const web_t *self, const web_route_t *route, int status, double seconds)
{
    char labels[192];
    snprintf(labels, sizeof(labels), "route=\"%s\",code=\"%d\"", route->path, status);
    stats_count(self->app->stats, "http_requests_total", "Requests answered", labels);
    snprintf(labels, sizeof(labels), "route=\"%s\"", route->path);
    stats_time(self->app->stats, "http_request_duration_seconds",
        "From the whole request to the whole answer", labels, seconds);
}

/* A call is named by its path, as gRPC's are; other requests as OpenTracing named them. */
static void begin_span(
    span_t *span, const web_t *self, const web_request_t *request, char name_p[64])
{
    const web_route_t *route = request->route;
    snprintf(name_p, 64, "HTTP %s %s", request->method, route->path);
    span_context_t parent;
    const char *header =
        MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "traceparent");
    bool has_parent = trace_parse_parent(header, &parent);
    span_begin(span, self->app->tracer, SPAN_SERVER, route->call ? route->path : name_p,
        has_parent ? &parent : NULL);
    span_set(span, "http.request.method", request->method);
    span_set(span, "url.path", request->path);
}

static void run_route(const web_t *self, web_request_t *request, web_reply_t *reply)
{
    span_t span;
    char name[64];
    double start = seconds_now();
    begin_span(&span, self, request, name);
    request->span = &span;
    if (!filter_request(request, reply))
        request->route->handle(self->service, request, reply);
    span_set_int(&span, "http.response.status_code", reply->status);
    if (reply->status >= 500 && !*span.error)
        span_fail(&span, MHD_get_reason_phrase_for((unsigned)reply->status));
    span_end(&span);
    request->span = NULL;
    note(self, request->route, reply->status, seconds_now() - start);
}

static void answer(
    const web_t *self, web_request_t *request, const exchange_t *exchange, web_reply_t *reply)
{
    request->route = find_route(self, request);
    if (exchange->is_too_large) {
        web_reply_text(reply, 413, "request body too large");
    } else if (request->route) {
        run_route(self, request, reply);
    } else if (strcmp(request->path, "/metrics") == 0) {
        reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
        reply->text = stats_text(self->app->stats);
        reply->size = strlen(reply->text);
    } else if (strcmp(request->path, "/healthz") == 0) {
        web_reply_text(reply, 200, "ok");
    } else {
        web_reply_text(reply, 404, "404 page not found");
    }
}

/* ---- libmicrohttpd ------------------------------------------------------------------------- */

static void gather(exchange_t *exchange, const char *data, size_t size)
{
    if (exchange->size + size > WEB_BODY_LIMIT) {
        exchange->is_too_large = true;
        return;
    }
    exchange->body = mem_check(realloc(exchange->body, exchange->size + size + 1));
    memcpy(exchange->body + exchange->size, data, size);
    exchange->size += size;
    exchange->body[exchange->size] = '\0';
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, web_reply_t *reply)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(reply->size, reply->text, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(reply->text);
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->content_type);
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return result;
}

/* Called once with the headers, then with each piece of the body, then at its end. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *data, size_t *data_size, void **exchange_p)
{
    (void)version;
    if (!*exchange_p) {
        *exchange_p = xcalloc(1, sizeof(exchange_t));
        return MHD_YES;
    }
    exchange_t *exchange = *exchange_p;
    if (*data_size > 0) {
        gather(exchange, data, *data_size);
        *data_size = 0;
        return MHD_YES;
    }
    web_request_t request = {.method = method,
        .path = url,
        .body = exchange->body ? exchange->body : "",
        .body_size = exchange->size,
        .connection = connection};
    web_reply_t reply = {.status = 200, .content_type = "application/json"};
    answer(arg, &request, exchange, &reply);
    return send_reply(connection, &reply);
}

static void on_request_ended(void *arg, struct MHD_Connection *connection, void **exchange_p,
    enum MHD_RequestTerminationCode why)
{
    (void)arg;
    (void)connection;
    (void)why;
    exchange_t *exchange = *exchange_p;
    if (exchange)
        free(exchange->body);
    free(exchange);
    *exchange_p = NULL;
}

web_t *web_new(
    app_t *app, int port, const web_route_t *routes, size_t route_count, void *service, err_t *err)
{
    AUTO(web_destroy) web_t *self = xcalloc(1, sizeof(*self));
    self->app = app;
    self->routes = routes;
    self->route_count = route_count;
    self->service = service;
    errno = 0;
    self->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL,
        (uint16_t)port, NULL, NULL, on_request, self, MHD_OPTION_NOTIFY_COMPLETED, on_request_ended,
        NULL, MHD_OPTION_THREAD_STACK_SIZE, (size_t)THREAD_STACK_SIZE, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTION_LIMIT, MHD_OPTION_END);
    if (!self->daemon) {
        err_set(err, ERR_IO, "listen tcp :%d: bind: %s", port, strerror(errno));
        return NULL;
    }
    return TAKE(self);
}

void web_destroy(web_t **self_p)
{
    web_t *self = *self_p;
    if (!self)
        return;
    if (self->daemon)
        MHD_stop_daemon(self->daemon);
    free(self);
    *self_p = NULL;
}
