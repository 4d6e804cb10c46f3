/* request - one HTTP request and its answer, as the API's handlers see them.
 *
 * A handler answers with one of the reply_… functions, at once or later; until then the connection
 * waits. Without a connection (tests, fuzzers) the answer stays in request->reply. */
#ifndef CLUSTER_ENV_API_REQUEST_H
#define CLUSTER_ENV_API_REQUEST_H

#include "services/cluster/env/api/buffer.h"
#include "services/cluster/env/api/stream.h"
#include "services/cluster/env/api/tunnel.h"
#include "services/cluster/env/auth/user.h"

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct request request_t;

typedef struct query_item {
    char *key;
    char *value;
} query_item_t;

/* The answer 101: the connection becomes a tunnel. */
typedef struct upgrade {
    const char *to;              /* the header Upgrade; static, as the next two */
    const char *protocol_header; /* what says which protocol was chosen */
    const char *protocol;
    char *accept; /* Sec-WebSocket-Accept, owned, or NULL */
    void (*on_open)(void *arg, tunnel_t *tunnel);
    void (*on_dropped)(void *arg); /* instead, when it does not come to that */
    void *arg;
} upgrade_t;

typedef struct reply {
    int status;               /* 0: not answered yet */
    const char *content_type; /* static, or owned_type */
    buffer_t body;
    stream_t *stream;   /* owned; instead of a body */
    upgrade_t *upgrade; /* owned; instead of a body */
    char *owned_type;   /* a content type that is not static, or NULL */
    bool has_exit_code;
    int exit_code;    /* of an exec, sent as the header X-Exit-Code */
    json_t *warnings; /* array of strings for Warning headers, or NULL */
} reply_t;

struct request {
    void *owner; /* the API; borrowed */
    char *method;
    char *url;         /* as sent, with query */
    char *path;        /* without query, not decoded */
    const char *query; /* inside url: what follows the '?', or "" */
    query_item_t *items;
    size_t item_count;
    char *accept;
    char *content_type;
    char *token; /* of the Authorization header, or NULL */
    user_t peer; /* of the client's certificate; without a name: it sent none */
    bool has_bad_certificate;
    json_t *impersonation;   /* of the Impersonate- headers: see impersonate.h; or NULL */
    user_t user;             /* who asks, once that is known */
    char *upgrade;           /* the header, or NULL */
    char *upgrade_protocols; /* offered: "a, b, c", or NULL */
    char *websocket_key;     /* or NULL */
    buffer_t body;
    reply_t reply;
    bool is_too_large;                  /* the body was cut off */
    bool is_started;                    /* headers are read */
    bool is_queued;                     /* the answer is with the HTTP library */
    void *connection;                   /* NULL in tests */
    void (*on_answer)(request_t *self); /* wakes the connection */
    void (*on_gone)(void *arg);         /* the client left before the answer */
    void *gone_arg;
};

/* A request for an url as sent. */
request_t *request_new(const char *method, const char *url);
void request_destroy(request_t **self_p);

/* The decoded value of a query parameter, or NULL. */
const char *request_query(const request_t *self, const char *key);
/* Whether a query parameter is "true" or "1". */
bool request_flag(const request_t *self, const char *key);

/* Decodes %xx (and '+' when is_query) into new memory. */
char *url_decode(const char *text, size_t length, bool is_query);

/* ---- answers ------------------------------------------------------------------------------ */

/* Bytes of a static content type. */
void reply_bytes(
    request_t *self, int status, const char *content_type, const void *bytes, size_t size);
void reply_text(request_t *self, int status, const char *text);
/* Takes value. */
void reply_json(request_t *self, int status, json_t *value);
/* Takes what is in the buffer. */
void reply_buffer(request_t *self, int status, const char *content_type, buffer_t *body);
/* Takes the stream. */
void reply_stream(request_t *self, const char *content_type, stream_t *stream);
/* 101; takes the upgrade. */
void reply_upgrade(request_t *self, upgrade_t *upgrade);
/* Adds a Warning header. */
void reply_warn(request_t *self, const char *text);

#endif
