/* node_ops - what the API server asks of the node agent (the kubelet).
 *
 * The kubelet fills one node_ops_t. Every question is answered through a node_reply_t, at once or
 * later, and exactly once; an answer may come in pieces. The asker may lose interest: on_cancel is
 * then called and the reply handle is dead. */
#ifndef CLUSTER_ENV_API_NODE_OPS_H
#define CLUSTER_ENV_API_NODE_OPS_H

#include "services/cluster/env/api/node_stream.h"

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct node_reply node_reply_t;

/* Appends bytes to the answer's body. The bytes are copied. */
void node_reply_write(node_reply_t *self, const void *bytes, size_t size);

/* Before the first bytes: HTTP status and content type; 200 and text/plain if never called. */
void node_reply_head(node_reply_t *self, int status, const char *content_type);

/* How many bytes were written but not yet sent; a follower should pause while this is large. */
size_t node_reply_pending(const node_reply_t *self);

/* Ends the answer; the handle is dead afterwards. */
void node_reply_end(node_reply_t **self_p);

/* Ends an answer of which nothing was written with an error: 400 for ERR_INVALID, 404 for
 * ERR_NOT_FOUND, 503 for ERR_UNAVAILABLE, 504 for ERR_TIMEOUT, otherwise 500. */
void node_reply_fail(node_reply_t **self_p, err_code_t code, const char *text);

/* Ends an exec's answer, which was the command's output. */
void node_reply_exit(node_reply_t **self_p, int exit_code);

/* Has fn called if the asker goes away before the end; the handle is dead afterwards. */
void node_reply_on_cancel(node_reply_t *self, void (*fn)(void *arg), void *arg);

typedef struct node_log {
    const json_t *pod;     /* borrowed for the call */
    const char *container; /* never NULL: the API server has chosen or checked it */
    bool is_following;
    bool is_previous;    /* of the container's last instance */
    bool has_timestamps; /* RFC3339Nano and a space before each line */
    int64_t tail_lines;  /* -1: all */
    int64_t limit_bytes; /* -1: all */
    int64_t since_ms;    /* only lines written at or after this unix time; 0: all */
} node_log_t;

typedef struct node_exec {
    const json_t *pod;
    const char *container;
    const char *const *argv; /* ends with NULL */
} node_exec_t;

/* A command with its streams, or a container's own. */
typedef struct node_live {
    const json_t *pod;
    const char *container;
    const char *const *argv; /* ends with NULL; NULL: the container's own streams */
    bool has_input;
    bool has_output;
    bool has_errors;
    bool has_terminal;
} node_live_t;

typedef struct node_http {
    const json_t *pod;   /* NULL: the request is for address as it is */
    const char *address; /* the pod's IP */
    int port;
    bool is_tls;
    const char *method;
    const char *path;         /* with query, starts with '/' */
    const char *content_type; /* of the body, or NULL */
    const void *body;
    size_t body_size;
} node_http_t;

typedef struct node_ops {
    void (*log)(void *arg, const node_log_t *log, node_reply_t *reply);
    /* Output and errors together, then node_reply_exit(). */
    void (*exec)(void *arg, const node_exec_t *exec, node_reply_t *reply);
    /* NULL if a client may be joined to the container, or why not, for free(). */
    char *(*refuse)(void *arg, const node_live_t *live);
    void (*live)(void *arg, const node_live_t *live, node_stream_t *stream);
    /* A connection to a port of the pod, at its own loopback address. */
    void (*dial)(void *arg, const json_t *pod, int port, node_stream_t *stream);
    void (*http)(void *arg, const node_http_t *http, node_reply_t *reply);
    /* The node's metrics in Prometheus' text format; path is "/metrics/cadvisor" or alike. */
    void (*metrics)(void *arg, const char *node, const char *path, node_reply_t *reply);
} node_ops_t;

#endif
