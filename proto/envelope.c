/* One pass over the keys serves both the router, which needs no copies, and the receiver, which
 * gets everything in one block of memory. */
#include "proto/envelope.h"

#include "base/mem.h"
#include "proto/pack.h"

#include <msgpack.h>
#include <string.h>

/* ---- keys ---------------------------------------------------------------------------------- */

typedef struct text {
    const char *at; /* NULL: absent */
    size_t size;
} text_t;

typedef struct parts {
    int64_t version;
    int64_t time;
    int64_t deadline;
    text_t kind, id, corr, type, source, session, trace;
    text_t body;
} parts_t;

static bool read_text(pack_reader_t *reader, text_t *text)
{
    return !text->at && pack_read_str(reader, &text->at, &text->size);
}

#define IS(name) (memcmp(key, name, sizeof(name) - 1) == 0)

/* Reads the value of one key other than "body". By length first: it tells most of them apart. */
static inline bool read_value(pack_reader_t *reader, const char *key, size_t size, parts_t *parts)
{
    switch (size) {
    case 1:
        return IS("v") ? pack_read_int(reader, &parts->version) : pack_skip(reader);
    case 2:
        return IS("id") ? read_text(reader, &parts->id) : pack_skip(reader);
    case 4:
        if (IS("kind"))
            return read_text(reader, &parts->kind);
        if (IS("type"))
            return read_text(reader, &parts->type);
        if (IS("time"))
            return pack_read_int(reader, &parts->time);
        return IS("corr") ? read_text(reader, &parts->corr) : pack_skip(reader);
    case 5:
        return IS("trace") ? read_text(reader, &parts->trace) : pack_skip(reader);
    case 6:
        return IS("source") ? read_text(reader, &parts->source) : pack_skip(reader);
    case 7:
        return IS("session") ? read_text(reader, &parts->session) : pack_skip(reader);
    case 8:
        return IS("deadline") ? pack_read_int(reader, &parts->deadline) : pack_skip(reader);
    default:
        return pack_skip(reader);
    }
}

static inline bool read_parts(const void *bytes, size_t size, parts_t *parts)
{
    pack_reader_t reader = {.at = bytes, .end = (const uint8_t *)bytes + size};
    uint32_t count;
    if (!pack_read_map(&reader, &count))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const char *key = NULL;
        size_t key_size = 0;
        if (!pack_read_str(&reader, &key, &key_size))
            return false;
        if (key_size == 4 && memcmp(key, "body", 4) == 0) {
            parts->body = (text_t){(const char *)reader.at, (size_t)(reader.end - reader.at)};
            return i + 1 == count && pack_next(&reader) == PACK_MAP;
        }
        if (!read_value(&reader, key, key_size, parts))
            return false;
    }
    return false; /* no body */
}

static envelope_kind_t kind_of(const text_t *kind)
{
    if (kind->size == 7 && memcmp(kind->at, "request", 7) == 0)
        return ENVELOPE_REQUEST;
    if (kind->size == 5 && memcmp(kind->at, "reply", 5) == 0)
        return ENVELOPE_REPLY;
    if (kind->size == 5 && memcmp(kind->at, "event", 5) == 0)
        return ENVELOPE_EVENT;
    return (envelope_kind_t)0;
}

static bool is_whole(const parts_t *parts, envelope_kind_t *kind_p)
{
    *kind_p = kind_of(&parts->kind);
    return parts->version == ENVELOPE_VERSION && *kind_p && parts->id.size
           && parts->id.size <= ENVELOPE_ID_LIMIT && parts->type.size && parts->source.size
           && (*kind_p != ENVELOPE_REPLY || parts->corr.size);
}

int envelope_peek(const void *bytes, size_t size, envelope_peek_t *peek)
{
    parts_t parts = {0};
    envelope_kind_t kind;
    if (!read_parts(bytes, size, &parts) || !is_whole(&parts, &kind))
        return -ERR_INVALID;
    *peek = (envelope_peek_t){
        .kind = kind,
        .id = parts.id.at,
        .id_size = parts.id.size,
        .corr = parts.corr.at,
        .corr_size = parts.corr.size,
        .type = parts.type.at,
        .type_size = parts.type.size,
        .time = parts.time,
        .deadline = parts.deadline,
        .body = parts.body.at,
        .body_size = parts.body.size,
    };
    return 0;
}

/* ---- whole --------------------------------------------------------------------------------- */

/* Copies a text to *at_p, terminated, and moves that on. */
static const char *copy_text(const text_t *text, char **at_p)
{
    if (!text->at)
        return NULL;
    char *copy = *at_p;
    memcpy(copy, text->at, text->size);
    copy[text->size] = '\0';
    *at_p += text->size + 1;
    return copy;
}

static bool has_nul(const text_t *text)
{
    return text->at && memchr(text->at, '\0', text->size);
}

int envelope_decode(const void *bytes, size_t size, envelope_t **envelope_p, err_t *err)
{
    parts_t parts = {0};
    envelope_kind_t kind;
    if (!read_parts(bytes, size, &parts) || !is_whole(&parts, &kind))
        return err_set(err, ERR_INVALID, "not an envelope");
    if (has_nul(&parts.id) || has_nul(&parts.corr) || has_nul(&parts.type) || has_nul(&parts.source)
        || has_nul(&parts.session) || has_nul(&parts.trace))
        return err_set(err, ERR_INVALID, "a text of the envelope holds a NUL");
    /* Every text was at least a byte longer on the wire, for its header: all fit with their NULs.
     */
    envelope_t *envelope = mem_check(malloc(sizeof(*envelope) + size));
    char *at = (char *)(envelope + 1);
    *envelope = (envelope_t){
        .kind = kind,
        .id = copy_text(&parts.id, &at),
        .corr = copy_text(&parts.corr, &at),
        .type = copy_text(&parts.type, &at),
        .source = copy_text(&parts.source, &at),
        .time = parts.time,
        .deadline = parts.deadline,
        .session = copy_text(&parts.session, &at),
        .trace = copy_text(&parts.trace, &at),
        .body = at,
        .body_size = parts.body.size,
    };
    memcpy(at, parts.body.at, parts.body.size);
    *envelope_p = envelope;
    return 0;
}

void envelope_free(envelope_t **envelope_p)
{
    free(*envelope_p);
    *envelope_p = NULL;
}

/* ---- encoding ------------------------------------------------------------------------------ */

static void pack_text(msgpack_packer *packer, const char *key, const char *text)
{
    if (!text)
        return;
    msgpack_pack_str(packer, strlen(key));
    msgpack_pack_str_body(packer, key, strlen(key));
    msgpack_pack_str(packer, strlen(text));
    msgpack_pack_str_body(packer, text, strlen(text));
}

static void pack_int(msgpack_packer *packer, const char *key, int64_t value)
{
    msgpack_pack_str(packer, strlen(key));
    msgpack_pack_str_body(packer, key, strlen(key));
    msgpack_pack_int64(packer, value);
}

static const char *kind_name(envelope_kind_t kind)
{
    return kind == ENVELOPE_REQUEST ? "request" : kind == ENVELOPE_REPLY ? "reply" : "event";
}

void envelope_encode(const envelope_t *envelope, char **bytes_p, size_t *size_p)
{
    msgpack_sbuffer buffer;
    msgpack_sbuffer_init(&buffer);
    msgpack_packer packer;
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    msgpack_pack_map(&packer, 7 + (envelope->corr ? 1U : 0) + (envelope->deadline ? 1U : 0)
                                  + (envelope->session ? 1U : 0) + (envelope->trace ? 1U : 0));
    pack_int(&packer, "v", ENVELOPE_VERSION);
    pack_text(&packer, "kind", kind_name(envelope->kind));
    pack_text(&packer, "id", envelope->id);
    pack_text(&packer, "corr", envelope->corr);
    pack_text(&packer, "type", envelope->type);
    pack_text(&packer, "source", envelope->source);
    pack_int(&packer, "time", envelope->time);
    if (envelope->deadline)
        pack_int(&packer, "deadline", envelope->deadline);
    pack_text(&packer, "session", envelope->session);
    pack_text(&packer, "trace", envelope->trace);
    msgpack_pack_str(&packer, 4);
    msgpack_pack_str_body(&packer, "body", 4);
    if (envelope->body)
        msgpack_sbuffer_write(&buffer, envelope->body, envelope->body_size);
    else
        msgpack_pack_map(&packer, 0);
    *size_p = buffer.size;
    *bytes_p = msgpack_sbuffer_release(&buffer);
}
