#include "services/cluster/runtime/dns_message.h"

#include "base/auto.h"
#include "base/mem.h"

#include <ctype.h>
#include <string.h>

enum {
    HEADER_SIZE = 12,
    QUESTION_TAIL = 4,
    RECORD_TAIL = 10,
    OPT_SIZE = 11,
    CLASS_IN = 1,
    TYPE_OPT = 41,
    TTL_S = 5, /* as CoreDNS answers for cluster names */
    FLAG_RESPONSE = 0x8000,
    FLAG_AUTHORITATIVE = 0x0400,
    FLAG_TRUNCATED = 0x0200,
    FLAG_RECURSION_DESIRED = 0x0100,
    FLAG_RECURSION_AVAILABLE = 0x0080,
    OPCODE_MASK = 0x7800,
    RCODE_FORMAT_ERROR = 1,
    RCODE_NO_SUCH_NAME = 3,
    RCODE_NOT_IMPLEMENTED = 4,
    RCODE_BAD_VERSION = 16, /* its upper bits travel in OPT */
    POINTER_TO_QUESTION = 0xc000 | HEADER_SIZE,
};

static const char zone[] = "cluster.local";
static const char zone_server[] = "ns.dns.cluster.local";
static const char zone_master[] = "hostmaster.cluster.local";

dns_record_t *dns_answer_add(dns_answer_t *self, dns_type_t type)
{
    if (self->count == DNS_RECORD_LIMIT)
        return NULL;
    dns_record_t *record = &self->records[self->count++];
    record->type = type;
    return record;
}

/* ---- reading -------------------------------------------------------------------------------- */

typedef struct question {
    char name[DNS_NAME_LIMIT + 1];
    uint16_t type;
    uint16_t class;
    size_t end;     /* where it ends in the query */
    bool has_edns;  /* there is an OPT record, with … */
    unsigned limit; /* … the bytes that the asker can take … */
    unsigned version;
} question_t;

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

/* Labels are copied with dots between them. A question is never compressed. */
static bool read_name(const uint8_t *query, size_t size, size_t *at, char *name)
{
    size_t length = 0;
    for (;;) {
        if (*at >= size)
            return false;
        size_t label = query[(*at)++];
        if (label == 0)
            break;
        if (label > 63 || label > size - *at || length + label + 1 > DNS_NAME_LIMIT)
            return false;
        if (length)
            name[length++] = '.';
        for (size_t i = 0; i < label; i++)
            name[length++] = (char)tolower(query[(*at)++]);
    }
    name[length] = '\0';
    return true;
}

/* The OPT record may be among others, whose names are skipped. */
static bool read_edns(const uint8_t *query, size_t size, size_t at, question_t *question)
{
    unsigned records = get16(query + 6) + get16(query + 8) + get16(query + 10);
    for (; records; records--) {
        char name[DNS_NAME_LIMIT + 1];
        if (!read_name(query, size, &at, name) || size - at < RECORD_TAIL)
            return false;
        const uint8_t *tail = query + at;
        size_t data = get16(tail + 8);
        at += RECORD_TAIL;
        if (data > size - at)
            return false;
        at += data;
        if (get16(tail) != TYPE_OPT)
            continue;
        if (*name || question->has_edns)
            return false;
        question->has_edns = true;
        question->limit = get16(tail + 2);
        question->version = tail[5];
    }
    return true;
}

static bool read_question(const uint8_t *query, size_t size, question_t *question)
{
    size_t at = HEADER_SIZE;
    *question = (question_t){.limit = DNS_PLAIN_LIMIT};
    if (get16(query + 4) != 1 || !read_name(query, size, &at, question->name)
        || size - at < QUESTION_TAIL)
        return false;
    question->type = get16(query + at);
    question->class = get16(query + at + 2);
    question->end = at + QUESTION_TAIL;
    return read_edns(query, size, question->end, question);
}

/* ---- writing -------------------------------------------------------------------------------- */

typedef struct writer {
    uint8_t *bytes;
    size_t size;
    size_t limit;
    bool is_full;
} writer_t;

static void put(writer_t *out, const void *bytes, size_t size)
{
    if (out->is_full || size > out->limit - out->size) {
        out->is_full = true;
        return;
    }
    memcpy(out->bytes + out->size, bytes, size);
    out->size += size;
}

static void put16(writer_t *out, unsigned value)
{
    put(out, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

static void put32(writer_t *out, uint32_t value)
{
    put16(out, value >> 16);
    put16(out, value & 0xffff);
}

/* A name of labels that are too long for the wire is cut. */
static void put_name(writer_t *out, const char *name)
{
    while (*name) {
        size_t label = strcspn(name, ".");
        size_t kept = label > 63 ? 63 : label;
        if (kept) {
            put(out, (uint8_t[]){(uint8_t)kept}, 1);
            put(out, name, kept);
        }
        name += label + (name[label] == '.');
    }
    put(out, "", 1);
}

static void put_data(writer_t *out, const dns_record_t *record)
{
    if (record->type == DNS_A) {
        put(out, &record->address, sizeof(record->address));
        return;
    }
    if (record->type == DNS_SRV) {
        put16(out, 0); /* priority */
        put16(out, record->weight);
        put16(out, record->port);
    }
    put_name(out, record->type == DNS_SOA ? zone_server : record->target);
    if (record->type != DNS_SOA)
        return;
    put_name(out, zone_master);
    put32(out, 1); /* serial: nobody transfers this zone */
    put32(out, 7200);
    put32(out, 1800);
    put32(out, 86400);
    put32(out, TTL_S);
}

/* All of it, or nothing and false. */
static bool put_record(writer_t *out, const dns_record_t *record)
{
    size_t start = out->size;
    if (*record->owner)
        put_name(out, record->owner);
    else
        put16(out, POINTER_TO_QUESTION);
    put16(out, record->type);
    put16(out, CLASS_IN);
    put32(out, TTL_S);
    size_t length_at = out->size;
    put16(out, 0);
    put_data(out, record);
    if (out->is_full) {
        out->size = start;
        return false;
    }
    size_t length = out->size - length_at - 2;
    out->bytes[length_at] = (uint8_t)(length >> 8);
    out->bytes[length_at + 1] = (uint8_t)length;
    return true;
}

static void put_edns(writer_t *out, unsigned rcode)
{
    put(out, "", 1);
    put16(out, TYPE_OPT);
    put16(out, DNS_DATAGRAM_LIMIT);
    put(out, (uint8_t[]){(uint8_t)(rcode >> 4), 0, 0, 0}, 4);
    put16(out, 0);
}

typedef struct counts {
    unsigned questions, answers, authorities, extras;
} counts_t;

static void put_header(uint8_t *reply, const uint8_t *query, unsigned flags, const counts_t *counts)
{
    writer_t out = {.bytes = reply, .limit = HEADER_SIZE};
    flags |= FLAG_RESPONSE | (get16(query + 2) & FLAG_RECURSION_DESIRED);
    put(&out, query, 2);
    put16(&out, flags);
    put16(&out, counts->questions);
    put16(&out, counts->answers);
    put16(&out, counts->authorities);
    put16(&out, counts->extras);
}

/* ---- answering ------------------------------------------------------------------------------ */

static size_t refuse(const uint8_t *query, unsigned rcode, uint8_t *reply)
{
    put_header(reply, query, rcode, &(counts_t){0});
    return HEADER_SIZE;
}

/* Those asked for, then those that are extra; what does not fit of the latter is not missed. */
static void put_answer(writer_t *out, const dns_answer_t *answer, counts_t *counts, bool is_extra)
{
    for (size_t i = 0; i < answer->count && !out->is_full; i++) {
        if (answer->records[i].is_extra != is_extra || !put_record(out, &answer->records[i]))
            continue;
        counts->answers += is_extra ? 0 : 1;
        counts->extras += is_extra ? 1 : 0;
    }
}

static size_t write_reply(
    const uint8_t *query, const question_t *question, const dns_answer_t *answer, writer_t *out)
{
    counts_t counts = {.questions = 1};
    bool is_bad_version = question->version != 0;
    unsigned rcode = is_bad_version ? RCODE_BAD_VERSION : answer->is_known ? 0 : RCODE_NO_SUCH_NAME;
    dns_record_t soa = {.type = DNS_SOA};
    snprintf(soa.owner, sizeof(soa.owner), "%s", zone);
    out->size = HEADER_SIZE;
    out->limit -= question->has_edns ? OPT_SIZE : 0;
    put(out, query + HEADER_SIZE, question->end - HEADER_SIZE);
    put_answer(out, answer, &counts, false);
    bool is_truncated = out->is_full;
    if (!is_bad_version && answer->is_zone && answer->count == 0)
        counts.authorities += put_record(out, &soa) ? 1 : 0;
    put_answer(out, answer, &counts, true);
    if (question->has_edns) {
        out->limit += OPT_SIZE;
        out->is_full = false;
        put_edns(out, rcode);
        counts.extras++;
    }
    unsigned flags = (answer->is_zone ? FLAG_AUTHORITATIVE : 0) | FLAG_RECURSION_AVAILABLE
                     | (is_truncated ? FLAG_TRUNCATED : 0) | (rcode & 0xf);
    put_header(out->bytes, query, flags, &counts);
    return out->size;
}

static size_t limit_of(const question_t *question, bool is_datagram)
{
    if (!is_datagram)
        return DNS_MESSAGE_LIMIT;
    if (question->limit < DNS_PLAIN_LIMIT)
        return DNS_PLAIN_LIMIT;
    return question->limit > DNS_DATAGRAM_LIMIT ? DNS_DATAGRAM_LIMIT : question->limit;
}

size_t dns_reply(const uint8_t *query, size_t size, bool is_datagram, dns_lookup_fn *lookup,
    void *arg, uint8_t *reply)
{
    if (size < HEADER_SIZE || get16(query + 2) & FLAG_RESPONSE)
        return 0;
    if (get16(query + 2) & OPCODE_MASK)
        return refuse(query, RCODE_NOT_IMPLEMENTED, reply);
    question_t question;
    if (!read_question(query, size, &question))
        return refuse(query, RCODE_FORMAT_ERROR, reply);
    AUTO_FREE dns_answer_t *answer = xcalloc(1, sizeof(*answer));
    if (question.class == CLASS_IN && question.version == 0)
        lookup(arg, question.name, question.type, answer);
    writer_t out = {.bytes = reply, .limit = limit_of(&question, is_datagram)};
    return write_reply(query, &question, answer, &out);
}
