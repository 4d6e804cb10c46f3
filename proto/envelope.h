/* envelope - what every request, reply and event travels in: one MessagePack map.
 *
 *     v         1
 *     kind      "request", "reply" or "event"
 *     id        of this message: 1 to 64 bytes, unique for its sender
 *     corr      of a reply: the id of its request
 *     type      of the body, such as "fault.inject"
 *     source    who sends it, such as "injector@a1b2"
 *     time      when, in ms since 1970 by the sender's clock
 *     deadline  of a request: until when an answer is wanted, by the same clock
 *     session   the session it belongs to
 *     trace     W3C traceparent
 *     body      a map by the type's table; always the last key
 *
 * corr, deadline, session and trace may be absent. Other keys are skipped. */
#ifndef PROTO_ENVELOPE_H
#define PROTO_ENVELOPE_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

typedef enum { ENVELOPE_REQUEST = 1, ENVELOPE_REPLY, ENVELOPE_EVENT } envelope_kind_t;

enum { ENVELOPE_VERSION = 1, ENVELOPE_ID_LIMIT = 64 };

typedef struct envelope {
    envelope_kind_t kind;
    const char *id;
    const char *corr; /* NULL: absent; so are session and trace */
    const char *type;
    const char *source;
    int64_t time;
    int64_t deadline; /* 0: absent */
    const char *session;
    const char *trace;
    const void *body; /* one encoded map */
    size_t body_size;
} envelope_t;

/* Encodes into new memory. id, type and source must be set; a NULL body is an empty map. */
void envelope_encode(const envelope_t *envelope, char **bytes_p, size_t *size_p);

/* Decodes into one new block of memory, strings and body included, for envelope_free(). */
int envelope_decode(const void *bytes, size_t size, envelope_t **envelope_p, err_t *err);
void envelope_free(envelope_t **envelope_p);

/* What a router needs to know, pointing into the envelope; strings are not terminated. */
typedef struct envelope_peek {
    envelope_kind_t kind;
    const char *id;
    size_t id_size;
    const char *corr; /* NULL: absent */
    size_t corr_size;
    const char *type;
    size_t type_size;
    int64_t time;
    int64_t deadline;
    const char *body;
    size_t body_size;
} envelope_peek_t;

/* Reads and checks everything but the body, of which it only finds the beginning. No memory is
 * allocated. Returns 0 or -ERR_INVALID. */
int envelope_peek(const void *bytes, size_t size, envelope_peek_t *peek);

#endif
