/* http_internal - what the parts of lib/http share. */
#ifndef HTTP_HTTP_INTERNAL_H
#define HTTP_HTTP_INTERNAL_H

#include "http/http.h"

#include <curl/curl.h>
#include <stdbool.h>

typedef struct transfer {
    struct transfer *next;
    http_t *http;
    int id;
    CURL *easy;
    struct curl_slist *headers;
    http_data_fn *on_data; /* NULL: the body is collected */
    http_done_fn *on_done;
    void *arg;
    bool is_added; /* to the multi handle, which libcurl's own callbacks must not touch */
    bool is_cancelled;
    bool is_over_limit;
    char *body;
    size_t size;
    size_t capacity;
    size_t limit;
    char url[200]; /* for error sentences */
    char why[CURL_ERROR_SIZE];
} transfer_t;

struct http {
    ev_t *ev; /* borrowed */
    CURLM *multi;
    char *base_url;
    char *token;
    int ca_fd; /* -1: the system's authorities */
    char ca_path[40];
    bool is_trusting;
    transfer_t *transfers;
    int last_id;
    int timer_id;
    int depth;       /* of act() on the stack */
    bool is_in_curl; /* libcurl is on the stack: a new transfer is added later */
    bool has_unadded;
    bool is_dying;
};

/* A transfer with all of libcurl's options set, not yet started. */
transfer_t *transfer_new(http_t *self, const http_request_t *request);
void transfer_free(transfer_t *self);

#endif
