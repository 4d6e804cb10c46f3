#include "apps/common/rpc.h"

#include "apps/common/console.h"
#include "apps/common/peer.h"
#include "base/auto.h"
#include "base/mem.h"

#include <time.h>

enum { CALL_TIMEOUT_MS = 5000, REPLY_LIMIT = 1 << 20 };

struct rpc {
    app_t *app; /* borrowed */
    char *service;
    peer_t *peer;
};

/* ---- calling -------------------------------------------------------------------------------- */

static int read_reply(const http_reply_t *reply, json_t **reply_p, err_t *err)
{
    json_error_t error;
    json_t *value = json_loadb(reply->body ? reply->body : "", reply->body_size, 0, &error);
    if (reply->status == 200 && value) {
        *reply_p = value;
        return 0;
    }
    const char *code = json_string_value(json_object_get(value, "code"));
    const char *message = json_string_value(json_object_get(value, "message"));
    int rc = message ? err_set(err, err_code_parse(code ? code : ""), "%s", message)
                     : err_set(err, ERR_IO, "status %d without a JSON answer", reply->status);
    json_decref(value);
    return rc;
}

static int post(rpc_t *self, const span_t *span, json_t *request, json_t **reply_p, err_t *err)
{
    char parent[TRACE_PARENT_SIZE];
    char headers[TRACE_PARENT_SIZE + 32];
    trace_format_parent(&span->context, parent);
    snprintf(headers, sizeof(headers), "traceparent: %s\r\n", parent);
    AUTO_FREE char *body = mem_check(json_dumps(request, JSON_COMPACT | JSON_REAL_PRECISION(9)));
    peer_message_t message = {
        .path = span->name, .headers = headers, .body = body, .body_size = strlen(body)};
    http_reply_t reply;
    http_reply_init(&reply, REPLY_LIMIT);
    int rc = peer_post(self->peer, &message, &reply, err);
    if (rc == 0)
        rc = read_reply(&reply, reply_p, err);
    http_reply_done(&reply);
    return rc;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void note(const rpc_t *self, int rc, double seconds)
{
    char labels[128];
    snprintf(labels, sizeof(labels), "peer=\"%s\"", self->service);
    stats_time(self->app->stats, "downstream_request_duration_seconds",
        "Calls to other services, failed ones too", labels, seconds);
    if (rc == 0)
        return;
    snprintf(labels, sizeof(labels), "peer=\"%s\",reason=\"%s\"", self->service,
        err_code_name((err_code_t)-rc));
    stats_count(self->app->stats, "downstream_errors_total",
        "Calls to other services and stores that failed", labels);
}

int rpc_call(rpc_t *self, const span_t *parent, const char *method, json_t *request,
    json_t **reply_p, err_t *err)
{
    span_t span;
    double start = seconds_now();
    span_begin(&span, self->app->tracer, SPAN_CLIENT, method, &parent->context);
    span_set(&span, "peer.service", self->service);
    span_set(&span, "server.address", peer_address(self->peer));

    err_t why = {0};
    int rc = post(self, &span, request, reply_p, &why);
    json_decref(request);
    if (rc < 0) {
        span_fail(&span, why.text);
        rc = err_set(err, why.code, "rpc to %s (%s): %.190s", self->service,
            peer_address(self->peer), why.text);
    }
    span_end(&span);
    note(self, rc, seconds_now() - start);
    return rc;
}

rpc_t *rpc_new(app_t *app, const char *service, const char *address)
{
    rpc_t *self = xcalloc(1, sizeof(*self));
    self->app = app;
    self->service = xstrdup(service);
    self->peer = peer_new(address, CALL_TIMEOUT_MS);
    return self;
}

void rpc_destroy(rpc_t **self_p)
{
    rpc_t *self = *self_p;
    if (!self)
        return;
    peer_destroy(&self->peer);
    free(self->service);
    free(self);
    *self_p = NULL;
}

/* ---- answering ------------------------------------------------------------------------------ */

static int http_status(err_code_t code)
{
    static const int statuses[] = {
        [ERR_INVALID] = 400,
        [ERR_FORBIDDEN] = 403,
        [ERR_NOT_FOUND] = 404,
        [ERR_EXISTS] = 409,
        [ERR_STATE] = 409,
        [ERR_LIMIT] = 429,
        [ERR_OVERLOADED] = 503,
        [ERR_UNAVAILABLE] = 503,
        [ERR_TIMEOUT] = 504,
    };
    int status = (size_t)code < ARRAY_SIZE(statuses) ? statuses[code] : 0;
    return status ? status : 500;
}

void rpc_answer(void *service, const web_request_t *request, web_reply_t *reply)
{
    err_t err = {0};
    json_error_t error;
    json_t *result = NULL;
    json_t *body = json_loadb(request->body, request->body_size, 0, &error);
    int rc = body ? request->route->call(service, request->span, body, &result, &err)
                  : err_set(&err, ERR_INVALID, "request is not JSON: %s", error.text);
    json_decref(body);
    if (rc == 0) {
        web_reply_json(reply, 200, result);
        return;
    }
    console_error("%s: %s", request->route->path, err.text);
    span_fail(request->span, err.text);
    web_reply_json(reply, http_status(err.code),
        json_pack("{ss, ss}", "code", err_code_name(err.code), "message", err.text));
}
