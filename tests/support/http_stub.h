/* http_stub - an HTTP server in the test's own loop that answers as the test says. */
#ifndef TESTS_SUPPORT_HTTP_STUB_H
#define TESTS_SUPPORT_HTTP_STUB_H

#include "base/ev.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct http_stub http_stub_t;

typedef struct http_stub_request {
    const char *method;
    const char *path;  /* without query */
    const char *query; /* "watch=true&…", decoded; "" */
    const char *token; /* of "Authorization: Bearer"; "" */
    const char *content_type;
    const char *body;
} http_stub_request_t;

typedef struct http_stub_answer {
    int status;               /* 200 when left 0 */
    char *body;               /* taken; NULL: empty */
    bool is_unending;         /* the body is a stream that http_stub_push() adds to */
    bool is_silent;           /* no answer at all, ever */
    const char *content_type; /* NULL: application/json */
} http_stub_answer_t;

typedef void(http_stub_fn)(
    void *arg, const http_stub_request_t *request, http_stub_answer_t *answer);

/* Listens on a free port of 127.0.0.1; with cert and key (PEM), by TLS. */
http_stub_t *http_stub_new(
    ev_t *ev, const char *cert_pem, const char *key_pem, http_stub_fn *fn, void *arg);
void http_stub_destroy(http_stub_t **self_p);

/* "http://127.0.0.1:PORT"; the stub's. */
const char *http_stub_url(const http_stub_t *self);

/* Adds text to every open stream. */
void http_stub_push(http_stub_t *self, const char *text);

/* Ends every open stream. */
void http_stub_hang_up(http_stub_t *self);

size_t http_stub_connections(const http_stub_t *self);

#endif
