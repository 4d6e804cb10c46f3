/* http - an HTTP client on the event loop, by libcurl's multi interface.
 *
 * Connections are kept and used again; any number of requests may be under way. Callbacks come from
 * the loop, never from within the call that asked for them. Whatever the server's status, an
 * answer is an answer: err is set only when there is none. */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "base/err.h"
#include "base/ev.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct http http_t;

typedef struct http_config {
    const char *base_url; /* goes before an url that begins with '/'; NULL: none */
    const char *token;    /* sent as bearer token to urls below base_url; NULL: none */
    const char *ca_pem;   /* the only authority to believe; NULL: the system's */
    bool is_trusting;     /* takes any server for who it says it is, as the kubelet's probes do */
} http_config_t;

typedef struct http_request {
    const char *method; /* NULL: GET, or POST with a body */
    const char *url;
    const char *content_type;   /* of the body; NULL: application/json */
    const char *accept;         /* NULL: anything */
    const char *const *headers; /* further "Name: value"; ends with NULL; may be NULL */
    const void *body;           /* copied; NULL: none */
    size_t body_size;
    int64_t timeout_ms; /* of the whole exchange; 0: HTTP_TIMEOUT_MS; -1: none, for streams */
    size_t limit;       /* of the answer's body, more is ERR_LIMIT; 0: HTTP_BODY_LIMIT */
} http_request_t;

enum { HTTP_TIMEOUT_MS = 10000, HTTP_CONNECT_TIMEOUT_MS = 5000, HTTP_BODY_LIMIT = 64 << 20 };

typedef struct http_answer {
    const err_t *err; /* NULL if the server answered; ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_IO … */
    int status;       /* 200; 0 with err before a status line came */
    const char *content_type; /* "" if absent */
    const char *body;         /* NUL-terminated; "" for streams */
    size_t size;
} http_answer_t;

/* The answer is the client's, for the time of the callback. */
typedef void(http_done_fn)(void *arg, const http_answer_t *answer);

/* A piece of a body as it comes. */
typedef void(http_data_fn)(void *arg, int status, const char *bytes, size_t size);

/* Strings are copied. Fails only when libcurl cannot be had. */
http_t *http_new(ev_t *ev, const http_config_t *config, err_t *err);

/* Requests under way are forgotten without callback. Not from within a callback. */
void http_destroy(http_t **self_p);

/* Sends a request; on_done is called exactly once, unless cancelled. Returns an id, never 0. */
int http_send(http_t *self, const http_request_t *request, http_done_fn *on_done, void *arg);

/* The same, with the body of the answer given piece by piece instead of whole: for streams. */
int http_stream(http_t *self, const http_request_t *request, http_data_fn *on_data,
    http_done_fn *on_done, void *arg);

/* Forgets a request, also from within a callback; ids of ended requests, and 0, are ignored. */
void http_cancel(http_t *self, int id);

/* A synchronous answer; body is for free(). */
typedef struct http_result {
    int status;
    char *body;
    size_t size;
} http_result_t;

/* Runs the loop until the answer is there: for jobs with a loop of their own, programs that have
 * nothing else to do, and tests; never from a handler. Returns 0 whatever the status, or the
 * negative code of why there is no answer; ERR_STATE if the loop was stopped. */
int http_call(http_t *self, const http_request_t *request, http_result_t *result, err_t *err);

#endif
