/* codec - turns message structs into MessagePack maps and back, driven by a table per message.
 *
 * A message is a plain struct; its table names the fields that travel, who may send it, and whether
 * it may be done twice. The codec, the broker's role check and the reference page all read that
 * table. What a message points to is borrowed when it is encoded, and the message's own when it was
 * decoded. */
#ifndef PROTO_CODEC_H
#define PROTO_CODEC_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    CODEC_STR,      /* const char * */
    CODEC_I64,      /* int64_t */
    CODEC_F64,      /* double */
    CODEC_BOOL,     /* bool */
    CODEC_BIN,      /* codec_bin_t */
    CODEC_STR_LIST, /* codec_list_t */
    CODEC_VALUE,    /* json_t *: anything */
} codec_kind_t;

typedef struct codec_bin {
    const void *bytes;
    size_t size;
} codec_bin_t;

typedef struct codec_list {
    char **items;
    size_t count;
} codec_list_t;

typedef struct codec_field {
    const char *name;
    codec_kind_t kind;
    size_t offset;
    bool is_optional; /* absent: NULL, 0, false or empty */
    const char *doc;
} codec_field_t;

/* Who may send a request of the type. Local programs may send everything. */
enum { CODEC_SERVICE = 1, CODEC_OPERATOR = 2, CODEC_AGENT = 4 };

typedef struct codec_type {
    const char *name;   /* on the wire, such as "fault.inject" */
    const char *target; /* the service that takes this request; or "reply", or "event" */
    unsigned callers;   /* CODEC_SERVICE and so on, for requests */
    bool is_idempotent; /* may be done twice with the same result */
    const char *doc;
    size_t size;
    const codec_field_t *fields;
    size_t field_count;
} codec_type_t;

/* An entry of a table of fields. */
#define CODEC_FIELD(struct_t, kind, member, doc)                                                   \
    {                                                                                              \
#member, kind, offsetof(struct_t, member), false, doc                                      \
    }

/* Encodes *message; the caller frees *bytes_p. Fails only when a field that is not optional is
 * NULL. */
int codec_encode(
    const codec_type_t *type, const void *message, char **bytes_p, size_t *size_p, err_t *err);

/* Decodes into a new struct, for codec_free(). Fields that the table does not know are skipped. */
int codec_decode(
    const codec_type_t *type, const void *bytes, size_t size, void **message_p, err_t *err);

/* Frees a decoded message with what it holds. */
void codec_free(const codec_type_t *type, void *message);

#endif
