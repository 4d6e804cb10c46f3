#include "apps/common/trace.h"

#include <stdio.h>
#include <string.h>

static bool is_hex(const char *text, size_t length)
{
    return strspn(text, "0123456789abcdef") >= length;
}

static bool is_zero(const char *text, size_t length)
{
    return strspn(text, "0") >= length;
}

/* https://www.w3.org/TR/trace-context/#traceparent-header: version, trace, parent, flags. Later
 * versions may append fields. */
bool trace_parse_parent(const char *header, span_context_t *context_p)
{
    if (!header || strlen(header) < 55 || !is_hex(header, 2) || strncmp(header, "ff", 2) == 0)
        return false;
    if (strncmp(header, "00", 2) == 0 ? header[55] != '\0' : header[55] && header[55] != '-')
        return false;
    const char *trace = header + 3;
    const char *span = header + 36;
    const char *flags = header + 53;
    if (header[2] != '-' || header[35] != '-' || header[52] != '-' || !is_hex(trace, 32)
        || !is_hex(span, 16) || !is_hex(flags, 2) || is_zero(trace, 32) || is_zero(span, 16))
        return false;
    memcpy(context_p->trace_id, trace, 32);
    context_p->trace_id[32] = '\0';
    memcpy(context_p->span_id, span, 16);
    context_p->span_id[16] = '\0';
    context_p->is_sampled = strchr("13579bdf", flags[1]) != NULL;
    return true;
}

void trace_format_parent(const span_context_t *context, char text_p[TRACE_PARENT_SIZE])
{
    snprintf(text_p, TRACE_PARENT_SIZE, "00-%s-%s-%s", context->trace_id, context->span_id,
        context->is_sampled ? "01" : "00");
}

size_t json_escape(const char *text, char *escaped_p, size_t size)
{
    size_t length = 0;
    for (; *text; text++) {
        char piece[8];
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            snprintf(piece, sizeof(piece), "\\%c", c);
        else if (c < 0x20)
            snprintf(piece, sizeof(piece), "\\u%04x", c);
        else
            snprintf(piece, sizeof(piece), "%c", c);
        size_t piece_length = strlen(piece);
        if (length + piece_length >= size)
            break;
        memcpy(escaped_p + length, piece, piece_length);
        length += piece_length;
    }
    escaped_p[length] = '\0';
    return length;
}

static void add_attribute(span_t *self, const char *key, const char *type, const char *value)
{
    size_t room = sizeof(self->attributes) - self->attributes_length;
    char *end = self->attributes + self->attributes_length;
    int length =
        snprintf(end, room, "{\"key\":\"%s\",\"value\":{\"%s\":\"%s\"}},", key, type, value);
    if (length > 0 && (size_t)length < room)
        self->attributes_length += (size_t)length;
    *(self->attributes + self->attributes_length) = '\0';
}

void span_set(span_t *self, const char *key, const char *value)
{
    char escaped[256];
    json_escape(value, escaped, sizeof(escaped));
    add_attribute(self, key, "stringValue", escaped);
}

void span_set_int(span_t *self, const char *key, int64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%lld", (long long)value);
    add_attribute(self, key, "intValue", text);
}

void span_fail(span_t *self, const char *reason)
{
    json_escape(*reason ? reason : "error", self->error, sizeof(self->error));
}

size_t span_encode(const span_t *self, int64_t end_ns, char *text_p, size_t size)
{
    const span_context_t *context = &self->context;
    size_t attributes_length = self->attributes_length ? self->attributes_length - 1 : 0;
    char name[160];
    json_escape(self->name, name, sizeof(name));
    int length = snprintf(text_p, size,
        "{\"traceId\":\"%s\",\"spanId\":\"%s\",\"parentSpanId\":\"%s\",\"name\":\"%s\",\"kind\":%d,"
        "\"startTimeUnixNano\":\"%lld\",\"endTimeUnixNano\":\"%lld\",\"attributes\":[%.*s],"
        "\"status\":{%s%s%s}}",
        context->trace_id, context->span_id, self->parent_id, name, self->kind,
        (long long)self->start_ns, (long long)end_ns, (int)attributes_length, self->attributes,
        *self->error ? "\"code\":2,\"message\":\"" : "", self->error, *self->error ? "\"" : "");
    return length > 0 && (size_t)length < size ? (size_t)length : 0;
}
