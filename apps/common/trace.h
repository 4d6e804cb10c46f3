/* trace - OpenTelemetry spans: begun, described, ended, and sent in batches from a thread of its
 * own.
 *
 *     span_t span;
 *     span_begin(&span, tracer, SPAN_CLIENT, "/geo.Geo/Nearby", &request->span.context);
 *     span_set(&span, "peer.service", "geo");
 *     span_end(&span);
 *
 * A span is encoded when it ends and waits in a buffer of at most TRACE_BUFFER_LIMIT bytes; when
 * the collector is away for longer, further spans are dropped and counted. No request ever waits
 * for it. */
#ifndef APPS_COMMON_TRACE_H
#define APPS_COMMON_TRACE_H

#include "apps/common/stats.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRACE_BUFFER_LIMIT = 1 << 20, TRACE_PARENT_SIZE = 56 };

typedef struct tracer tracer_t;

/* The numbers of OTLP. */
typedef enum { SPAN_INTERNAL = 1, SPAN_SERVER = 2, SPAN_CLIENT = 3 } span_kind_t;

/* Who a span is, in lower-case hexadecimal. */
typedef struct span_context {
    char trace_id[33];
    char span_id[17];
    bool is_sampled;
} span_context_t;

typedef struct span {
    tracer_t *tracer; /* borrowed */
    span_context_t context;
    char parent_id[17]; /* "" at the root */
    span_kind_t kind;
    const char *name; /* borrowed until span_end() */
    int64_t start_ns;
    size_t attributes_length;
    char attributes[768]; /* JSON objects with a comma after each */
    char error[256];
} span_t;

/* Sends to endpoint, such as "http://jaeger:4318"; NULL or "" makes spans that go nowhere. Service
 * and endpoint are copied; stats is borrowed. */
tracer_t *tracer_new(const char *service, const char *endpoint, stats_t *stats);

/* Sends what is there, once, and ends the thread. */
void tracer_destroy(tracer_t **self_p);

/* Reads a W3C traceparent header; false if it is malformed or of all zeros. */
bool trace_parse_parent(const char *header, span_context_t *context_p);

/* Writes the header's value for calls made within this span. */
void trace_format_parent(const span_context_t *context, char text_p[TRACE_PARENT_SIZE]);

/* Begins a span now; parent NULL begins a trace. */
void span_begin(span_t *self, tracer_t *tracer, span_kind_t kind, const char *name,
    const span_context_t *parent);

/* Adds an attribute; silently leaves out what does not fit. key is plain ASCII. */
void span_set(span_t *self, const char *key, const char *value);
void span_set_int(span_t *self, const char *key, int64_t value);

/* Marks it failed, with the reason. */
void span_fail(span_t *self, const char *reason);

/* Ends it now and queues it. */
void span_end(span_t *self);

/* Writes the span, which ended at end_ns, as an object of OTLP/JSON and returns its length, or 0 if
 * it does not fit. */
size_t span_encode(const span_t *self, int64_t end_ns, char *text_p, size_t size);

/* Writes text as the inside of a JSON string and returns its length; cuts what does not fit, never
 * in the middle of an escape. */
size_t json_escape(const char *text, char *escaped_p, size_t size);

#endif
