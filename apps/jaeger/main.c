/* jaeger - what stands for Jaeger's all-in-one: takes spans by OTLP/HTTP on 4318, answers Jaeger's
 * query API on 16686, keeps the last traces in memory. */
#include "apps/common/app.h"
#include "apps/common/web.h"
#include "apps/jaeger/otlp.h"
#include "apps/jaeger/query.h"
#include "base/auto.h"
#include "base/mem.h"
#include "base/number.h"

#include <microhttpd.h>
#include <pthread.h>
#include <strings.h>
#include <time.h>

enum { SPANS_PER_TRACE = 20, LIMIT_DEFAULT = 20 };

static const int64_t lookback_default_us = 3600LL * 1000000;

typedef struct jaeger {
    app_t *app; /* borrowed */
    web_t *collector;
    pthread_mutex_t lock;
    traces_t *traces;
} jaeger_t;

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static void reply_body(web_reply_t *reply, int status, char *body)
{
    reply->status = status;
    reply->text = body;
    reply->size = strlen(body);
}

static void reply_error(web_reply_t *reply, int status, const char *message)
{
    reply_body(reply, status, query_error(status, message));
}

/* ---- spans in ------------------------------------------------------------------------------- */

static bool is_json(const web_request_t *request)
{
    const char *type = MHD_lookup_connection_value(
        request->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);
    const char *encoding = MHD_lookup_connection_value(
        request->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_ENCODING);
    return type && strncasecmp(type, "application/json", 16) == 0 && !encoding;
}

static void count_spans(jaeger_t *self, const otlp_counts_t *counts)
{
    stats_add(self->app->stats, "jaeger_collector_spans_received_total", "Spans stored", NULL,
        (double)counts->accepted);
    stats_add(self->app->stats, "jaeger_collector_spans_rejected_total",
        "Spans without usable ids, name or times", NULL, (double)counts->rejected);
    stats_set(self->app->stats, "jaeger_memory_spans", "Spans in memory",
        (double)traces_span_count(self->traces));
}

static void on_export(void *arg, const web_request_t *request, web_reply_t *reply)
{
    jaeger_t *self = arg;
    if (!is_json(request)) {
        web_reply_text(reply, 415, "only OTLP in plain JSON (Content-Type: application/json)");
        return;
    }
    err_t err = {0};
    otlp_counts_t counts = {0};
    pthread_mutex_lock(&self->lock);
    int rc = otlp_read(self->traces, request->body, request->body_size, &counts, &err);
    count_spans(self, &counts);
    pthread_mutex_unlock(&self->lock);
    if (rc < 0)
        web_reply_json(reply, 400, json_pack("{si, ss}", "code", 3, "message", err.text));
    else if (counts.rejected > 0)
        web_reply_json(reply, 200,
            json_pack("{s{so, ss}}", "partialSuccess", "rejectedSpans",
                json_sprintf("%zu", counts.rejected), "errorMessage",
                "spans lack ids, name or times"));
    else
        web_reply_json(reply, 200, json_pack("{s{}}", "partialSuccess"));
}

/* ---- questions ------------------------------------------------------------------------------ */

/* Held between 0 and the year 2255, so that nobody's arithmetic overflows. */
static int64_t number_of(const web_request_t *request, const char *name, int64_t usual)
{
    const int64_t most = INT64_MAX / 1024;
    const char *text = web_query(request, name);
    int64_t number = text && *text ? strtoll(text, NULL, 10) : usual;
    if (number < 0)
        return 0;
    return number < most ? number : most;
}

static int duration_of(const web_request_t *request, const char *name, int64_t *us_p, err_t *err)
{
    const char *text = web_query(request, name);
    return text && *text && strcmp(text, "custom") != 0 ? query_parse_duration(text, us_p, err) : 0;
}

static int read_query(const web_request_t *request, query_t *query_p, err_t *err)
{
    int64_t lookback_us = lookback_default_us;
    query_p->min_duration_us = 0;
    query_p->max_duration_us = INT64_MAX;
    query_p->service = web_query(request, "service");
    query_p->operation = web_query(request, "operation");
    if (!query_p->service || !*query_p->service)
        return err_set(err, ERR_INVALID, "parameter 'service' is required");
    if (query_p->operation && !*query_p->operation)
        query_p->operation = NULL;
    int rc = duration_of(request, "lookback", &lookback_us, err);
    if (rc == 0)
        rc = duration_of(request, "minDuration", &query_p->min_duration_us, err);
    if (rc == 0)
        rc = duration_of(request, "maxDuration", &query_p->max_duration_us, err);
    query_p->end_us = number_of(request, "end", now_us());
    query_p->start_us = number_of(request, "start", query_p->end_us - lookback_us);
    int64_t limit = number_of(request, "limit", LIMIT_DEFAULT);
    query_p->limit = limit > 0 ? (size_t)limit : LIMIT_DEFAULT;
    return rc;
}

static void on_traces(void *arg, const web_request_t *request, web_reply_t *reply)
{
    jaeger_t *self = arg;
    err_t err = {0};
    query_t query;
    if (read_query(request, &query, &err) < 0) {
        reply_error(reply, 400, err.text);
        return;
    }
    pthread_mutex_lock(&self->lock);
    reply_body(reply, 200, query_traces(self->traces, &query));
    pthread_mutex_unlock(&self->lock);
}

static void on_trace(void *arg, const web_request_t *request, web_reply_t *reply)
{
    jaeger_t *self = arg;
    uint64_t id[2];
    if (!traces_parse_trace_id(request->path + strlen("/api/traces/"), id)) {
        reply_error(reply, 400, "the trace id must be 1 to 32 hexadecimal digits");
        return;
    }
    pthread_mutex_lock(&self->lock);
    const traces_trace_t *trace = traces_find(self->traces, id);
    if (trace)
        reply_body(reply, 200, query_trace(self->traces, trace));
    else
        reply_error(reply, 404, "trace not found");
    pthread_mutex_unlock(&self->lock);
}

static void on_services(void *arg, const web_request_t *request, web_reply_t *reply)
{
    (void)request;
    jaeger_t *self = arg;
    pthread_mutex_lock(&self->lock);
    reply_body(reply, 200, query_services(self->traces));
    pthread_mutex_unlock(&self->lock);
}

/* /api/services/NAME/operations */
static void on_operations(void *arg, const web_request_t *request, web_reply_t *reply)
{
    jaeger_t *self = arg;
    const char *service = request->path + strlen("/api/services/");
    const char *slash = strchr(service, '/');
    if (!slash || strcmp(slash, "/operations") != 0) {
        reply_error(reply, 404, "not found");
        return;
    }
    AUTO_FREE char *name = xstrndup(service, (size_t)(slash - service));
    pthread_mutex_lock(&self->lock);
    reply_body(reply, 200, query_operations(self->traces, name));
    pthread_mutex_unlock(&self->lock);
}

/* Its times are in milliseconds, unlike all others. */
static void on_dependencies(void *arg, const web_request_t *request, web_reply_t *reply)
{
    jaeger_t *self = arg;
    int64_t end_us = number_of(request, "endTs", now_us() / 1000) * 1000;
    int64_t lookback_us = number_of(request, "lookback", lookback_default_us / 1000) * 1000;
    pthread_mutex_lock(&self->lock);
    reply_body(reply, 200, query_dependencies(self->traces, end_us - lookback_us, end_us));
    pthread_mutex_unlock(&self->lock);
}

/* ---- life cycle ----------------------------------------------------------------------------- */

static void jaeger_close(void **self_p)
{
    jaeger_t *self = *self_p;
    web_destroy(&self->collector);
    traces_destroy(&self->traces);
    pthread_mutex_destroy(&self->lock);
    free(self);
    *self_p = NULL;
}

static void *jaeger_open(app_t *app, err_t *err)
{
    static const web_route_t routes[] = {{"POST", "/v1/traces", on_export, NULL}};
    jaeger_t *self = xcalloc(1, sizeof(*self));
    self->app = app;
    pthread_mutex_init(&self->lock, NULL);
    size_t limit = (size_t)number_or(app_setting("MEMORY_MAX_TRACES", NULL), 1, INT32_MAX, 5000);
    self->traces = traces_new(limit, limit * SPANS_PER_TRACE);
    int port = (int)number_or(app_setting("COLLECTOR_OTLP_HTTP_PORT", NULL), 1, UINT16_MAX, 4318);
    self->collector = web_new(app, port, routes, ARRAY_SIZE(routes), self, err);
    void *opened = self;
    if (!self->collector)
        jaeger_close(&opened);
    return opened;
}

int main(void)
{
    static const web_route_t routes[] = {
        {"GET", "/api/traces", on_traces, NULL},
        {"GET", "/api/traces/*", on_trace, NULL},
        {"GET", "/api/services", on_services, NULL},
        {"GET", "/api/services/*", on_operations, NULL},
        {"GET", "/api/dependencies", on_dependencies, NULL},
    };
    static const app_spec_t spec = {.name = "jaeger",
        .port = 16686,
        .is_untraced = true,
        .open = jaeger_open,
        .close = jaeger_close,
        .routes = routes,
        .route_count = ARRAY_SIZE(routes)};
    return app_main(&spec);
}
