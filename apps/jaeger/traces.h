/* traces - the spans of the last traces, in memory, bounded. For one thread at a time.
 *
 * When there are too many traces or spans, the trace that was begun to be stored first goes, whole.
 */
#ifndef JAEGER_TRACES_H
#define JAEGER_TRACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct traces traces_t;

/* Where spans come from. */
typedef struct traces_process {
    char *service;
    char *tags; /* JSON: what stands between the brackets of Jaeger's tags */
    size_t span_count;
    struct traces_process *next;
} traces_process_t;

typedef struct traces_span {
    uint64_t id;
    uint64_t parent_id; /* 0: a root */
    int64_t start_us;   /* since 1970 */
    int64_t duration_us;
    traces_process_t *process;
    const char *operation;
    const char *tags;         /* JSON, as above */
    const char *logs;         /* JSON, as above */
    struct traces_span *next; /* in order of arrival */
} traces_span_t;

typedef struct traces_trace {
    uint64_t id[2];
    int64_t start_us; /* of the earliest span */
    size_t span_count;
    traces_span_t *first;
    traces_span_t *last;
    struct traces_trace *newer; /* in order of arrival */
    struct traces_trace *older;
    struct traces_trace *next; /* in its bucket */
} traces_trace_t;

/* A span to be stored; strings are copied. */
typedef struct traces_entry {
    uint64_t trace_id[2];
    uint64_t id;
    uint64_t parent_id;
    int64_t start_us;
    int64_t duration_us;
    const char *service;
    const char *process_tags;
    const char *operation;
    const char *tags;
    const char *logs;
} traces_entry_t;

traces_t *traces_new(size_t trace_limit, size_t span_limit);
void traces_destroy(traces_t **self_p);

/* A span with the id of one that is there is another span: senders repeat a batch only when they
 * were told of failure. */
void traces_put(traces_t *self, const traces_entry_t *entry);

const traces_trace_t *traces_find(const traces_t *self, const uint64_t id[2]);

/* The trace that came last; go on by ->older. */
const traces_trace_t *traces_newest(const traces_t *self);

/* All processes with at least one span, by ->next. */
const traces_process_t *traces_processes(const traces_t *self);

size_t traces_span_count(const traces_t *self);

/* Reads 32 or fewer hexadecimal digits; false if it is something else or zero. */
bool traces_parse_trace_id(const char *text, uint64_t id_p[2]);
bool traces_parse_span_id(const char *text, uint64_t *id_p);

#endif
