/* messages - every message on the bus, one struct NAME_t and one type NAME_type each.
 *
 * What they mean, who may send them and what their fields hold stands in messages.def, of which
 * PROTOCOL.md is the readable form. */
#ifndef PROTO_MESSAGES_H
#define PROTO_MESSAGES_H

#include "proto/codec.h"

#define CODEC_STR_T      const char *
#define CODEC_I64_T      int64_t
#define CODEC_F64_T      double
#define CODEC_BOOL_T     bool
#define CODEC_BIN_T      codec_bin_t
#define CODEC_STR_LIST_T codec_list_t
#define CODEC_VALUE_T    json_t *

#define MESSAGE(name, wire, target, roles, idempotent, doc) typedef struct name {
#define FIELD(message, kind, name, need, doc)               CODEC_##kind##_T name;
#define END(name)                                                                                  \
    }                                                                                              \
    name##_t;                                                                                      \
    extern const codec_type_t name##_type;
/* clang-format off */
#include "proto/messages.def"
/* clang-format on */
#undef MESSAGE
#undef FIELD
#undef END

/* The type with this wire name, which needs no terminator; NULL if there is none. Constant time. */
const codec_type_t *codec_find(const char *name, size_t size);

/* All types, in the order of messages.def. */
const codec_type_t *const *codec_types(size_t *count_p);

#endif
