/* messages - every message of the system: its struct, its table, and how to find the table by name.
 *
 * The structs of each part are in a header of its own. */
#ifndef PROTO_MESSAGES_H
#define PROTO_MESSAGES_H

#include "proto/broker_messages.h"
#include "proto/codec.h"

/* The answer to a request that has nothing more to say. */
typedef struct ok {
    char unused;
} ok_t;

/* The answer to a request that failed. */
typedef struct error_reply {
    const char *code;       /* see err_code_name() */
    const char *text;       /* a sentence for people */
    int64_t retry_after_ms; /* with "overloaded": when to try again; else 0 */
} error_reply_t;

extern const codec_type_t ok_type;
extern const codec_type_t error_type;

/* The table of the type with this wire name, or NULL. */
const codec_type_t *codec_find(const char *name, size_t size);

/* All tables, by name. */
const codec_type_t *const *codec_types(size_t *count_p);

#endif
