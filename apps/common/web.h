/* web - the HTTP server of a service: routes, one thread per connection, spans and metrics.
 *
 * Every route is counted (http_requests_total by route and code), timed, and runs inside a server
 * span that continues the caller's traceparent. GET /metrics and GET /healthz are answered by the
 * server itself. */
#ifndef APPS_COMMON_WEB_H
#define APPS_COMMON_WEB_H

#include "apps/common/app.h"
#include "apps/common/trace.h"
#include "base/err.h"

#include <jansson.h>
#include <stdint.h>

enum { WEB_BODY_LIMIT = 4 << 20 };

typedef struct web web_t;
typedef struct web_route web_route_t;
struct MHD_Connection;

typedef struct web_request {
    const web_route_t *route;
    const char *method;
    const char *path;
    const char *body; /* body_size bytes and a NUL */
    size_t body_size;
    span_t *span; /* the server's; make calls as its children */
    struct MHD_Connection *connection;
} web_request_t;

typedef struct web_reply {
    int status;               /* 200 unless set */
    const char *content_type; /* "application/json" unless set; a literal */
    char *text;               /* on the heap, taken by the server */
    size_t size;
} web_reply_t;

/* Runs on a thread of the connection; may block, within deadlines. */
typedef void(web_handler_fn)(void *service, const web_request_t *request, web_reply_t *reply);

/* What a route of rpc.h does: reads request, sets *reply_p, or fails with a sentence. */
typedef int(web_call_fn)(
    void *service, const span_t *span, const json_t *request, json_t **reply_p, err_t *err);

struct web_route {
    const char *method; /* "*" matches any */
    const char *path;   /* a '*' at its end matches any rest */
    web_handler_fn *handle;
    web_call_fn *call; /* for handle = rpc_answer; else NULL */
};

/* Starts to serve the port on all addresses. Routes, app and service are borrowed. */
web_t *web_new(
    app_t *app, int port, const web_route_t *routes, size_t route_count, void *service, err_t *err);

/* Ends after the requests that are being answered. */
void web_destroy(web_t **self_p);

/* A parameter of the query, or NULL. */
const char *web_query(const web_request_t *request, const char *name);

/* Answers with status and a JSON value, which it takes. */
void web_reply_json(web_reply_t *reply, int status, json_t *value);

/* Answers with status and a line of plain text, as Go's http.Error does. */
void web_reply_text(web_reply_t *reply, int status, const char *text);

#endif
