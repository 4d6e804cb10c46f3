/* http_reply - reads one HTTP/1.1 response from bytes as they come, in any pieces.
 *
 * Bodies by Content-Length, in chunks, or until the connection closes; interim (1xx) responses are
 * skipped. Whatever the bytes are, it keeps no more than body_limit of them and one line. */
#ifndef APPS_COMMON_HTTP_REPLY_H
#define APPS_COMMON_HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { HTTP_REPLY_LINE_LIMIT = 1024, HTTP_REPLY_HEAD_LIMIT = 65536 };

typedef enum {
    HTTP_REPLY_STATUS,
    HTTP_REPLY_HEADER,
    HTTP_REPLY_BODY,
    HTTP_REPLY_CHUNK_SIZE,
    HTTP_REPLY_CHUNK,
    HTTP_REPLY_CHUNK_END,
    HTTP_REPLY_TRAILER,
    HTTP_REPLY_UNTIL_CLOSE,
    HTTP_REPLY_COMPLETE,
} http_reply_state_t;

typedef struct http_reply {
    int status;
    bool is_kept_alive; /* whether the connection may carry another request */
    char *body;         /* of body_size bytes and a NUL; NULL if none was kept */
    size_t body_size;   /* as received, also when it was not kept */

    size_t body_limit; /* the rest is private */
    http_reply_state_t state;
    bool is_chunked;
    bool has_length;
    uint64_t left; /* of the body or chunk */
    size_t head_size;
    size_t body_capacity;
    size_t line_length;
    char line[HTTP_REPLY_LINE_LIMIT];
} http_reply_t;

/* body_limit 0: count the body and keep nothing of it; else a larger body is an error. */
void http_reply_init(http_reply_t *self, size_t body_limit);
void http_reply_done(http_reply_t *self);

/* Forgets what was read, for the next response on the same connection. */
void http_reply_reset(http_reply_t *self);

/* Returns how many bytes belonged to this response (fewer than size only if it is complete), or -1
 * if this is not HTTP or exceeds a limit. */
ssize_t http_reply_feed(http_reply_t *self, const char *data, size_t size);

/* Whether the response has come to its end. */
bool http_reply_is_complete(const http_reply_t *self);

/* The peer closed: true if that is how this response ends, which completes it. */
bool http_reply_close(http_reply_t *self);

/* Whether not one byte of it has come. */
bool http_reply_is_unbegun(const http_reply_t *self);

#endif
