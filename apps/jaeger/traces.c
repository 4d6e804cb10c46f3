#include "apps/jaeger/traces.h"

#include "apps/jaeger/texts.h"
#include "base/auto.h"
#include "base/mem.h"

enum { BUCKET_COUNT = 4096 }; /* a power of two */

struct traces {
    size_t trace_limit;
    size_t span_limit;
    size_t trace_count;
    size_t span_count;
    traces_trace_t *newest;
    traces_trace_t *oldest;
    traces_process_t *processes;
    texts_t *texts; /* of spans */
    traces_trace_t *buckets[BUCKET_COUNT];
};

/* Trace ids are random: their bits serve as they are. */
static traces_trace_t **bucket_of(traces_t *self, const uint64_t id[2])
{
    return &self->buckets[(id[0] ^ id[1]) % BUCKET_COUNT];
}

static bool is_same(const traces_trace_t *trace, const uint64_t id[2])
{
    return trace->id[0] == id[0] && trace->id[1] == id[1];
}

/* ---- processes ------------------------------------------------------------------------------ */

static traces_process_t *find_process(traces_t *self, const char *service, const char *tags)
{
    for (traces_process_t *process = self->processes; process; process = process->next) {
        if (strcmp(process->tags, tags) == 0 && strcmp(process->service, service) == 0)
            return process;
    }
    traces_process_t *process = xcalloc(1, sizeof(*process));
    process->service = xstrdup(service);
    process->tags = xstrdup(tags);
    process->next = self->processes;
    self->processes = process;
    return process;
}

static void release_process(traces_t *self, traces_process_t *process)
{
    if (--process->span_count > 0)
        return;
    traces_process_t **link = &self->processes;
    while (*link != process)
        link = &(*link)->next;
    *link = process->next;
    free(process->service);
    free(process->tags);
    free(process);
}

/* ---- traces --------------------------------------------------------------------------------- */

static void free_spans(traces_t *self, traces_trace_t *trace)
{
    for (traces_span_t *span = trace->first, *next = NULL; span; span = next) {
        next = span->next;
        release_process(self, span->process);
        texts_give_back(self->texts, span->operation);
        texts_give_back(self->texts, span->tags);
        texts_give_back(self->texts, span->logs);
        free(span);
    }
    self->span_count -= trace->span_count;
}

static void remove_oldest(traces_t *self)
{
    traces_trace_t *trace = self->oldest;
    traces_trace_t **link = bucket_of(self, trace->id);
    while (*link != trace)
        link = &(*link)->next;
    *link = trace->next;
    self->oldest = trace->newer;
    if (self->oldest)
        self->oldest->older = NULL;
    else
        self->newest = NULL;
    self->trace_count--;
    free_spans(self, trace);
    free(trace);
}

const traces_trace_t *traces_find(const traces_t *self, const uint64_t id[2])
{
    const traces_trace_t *trace = *bucket_of((traces_t *)self, id);
    while (trace && !is_same(trace, id))
        trace = trace->next;
    return trace;
}

static traces_trace_t *add_trace(traces_t *self, const traces_entry_t *entry)
{
    traces_trace_t *trace = xcalloc(1, sizeof(*trace));
    memcpy(trace->id, entry->trace_id, sizeof(trace->id));
    trace->start_us = entry->start_us;
    traces_trace_t **bucket = bucket_of(self, trace->id);
    trace->next = *bucket;
    *bucket = trace;
    trace->older = self->newest;
    if (self->newest)
        self->newest->newer = trace;
    else
        self->oldest = trace;
    self->newest = trace;
    self->trace_count++;
    return trace;
}

static void append_span(traces_t *self, traces_trace_t *trace, const traces_entry_t *entry)
{
    traces_span_t *span = xcalloc(1, sizeof(*span));
    span->id = entry->id;
    span->parent_id = entry->parent_id;
    span->start_us = entry->start_us;
    span->duration_us = entry->duration_us;
    span->process = find_process(self, entry->service, entry->process_tags);
    span->process->span_count++;
    span->operation = texts_take(self->texts, entry->operation);
    span->tags = texts_take(self->texts, entry->tags);
    span->logs = texts_take(self->texts, entry->logs);
    if (trace->last)
        trace->last->next = span;
    else
        trace->first = span;
    trace->last = span;
    if (span->start_us < trace->start_us)
        trace->start_us = span->start_us;
    trace->span_count++;
    self->span_count++;
}

void traces_put(traces_t *self, const traces_entry_t *entry)
{
    traces_trace_t *trace = (traces_trace_t *)traces_find(self, entry->trace_id);
    append_span(self, trace ? trace : add_trace(self, entry), entry);
    while (self->trace_count > self->trace_limit || self->span_count > self->span_limit)
        remove_oldest(self);
}

const traces_trace_t *traces_newest(const traces_t *self)
{
    return self->newest;
}

const traces_process_t *traces_processes(const traces_t *self)
{
    return self->processes;
}

size_t traces_span_count(const traces_t *self)
{
    return self->span_count;
}

/* ---- ids ------------------------------------------------------------------------------------ */

bool traces_parse_span_id(const char *text, uint64_t *id_p)
{
    size_t length = text ? strlen(text) : 0;
    if (length == 0 || length > 16 || strspn(text, "0123456789abcdefABCDEF") != length)
        return false;
    *id_p = strtoull(text, NULL, 16);
    return *id_p != 0;
}

bool traces_parse_trace_id(const char *text, uint64_t id_p[2])
{
    size_t length = text ? strlen(text) : 0;
    if (length == 0 || length > 32 || strspn(text, "0123456789abcdefABCDEF") != length)
        return false;
    char digits[33];
    snprintf(digits, sizeof(digits), "%.*s%s", (int)(32 - length),
        "00000000000000000000000000000000", text);
    id_p[1] = strtoull(digits + 16, NULL, 16);
    digits[16] = '\0';
    id_p[0] = strtoull(digits, NULL, 16);
    return id_p[0] || id_p[1];
}

/* ---- life cycle ----------------------------------------------------------------------------- */

traces_t *traces_new(size_t trace_limit, size_t span_limit)
{
    traces_t *self = xcalloc(1, sizeof(*self));
    self->trace_limit = trace_limit;
    self->span_limit = span_limit;
    self->texts = texts_new();
    return self;
}

void traces_destroy(traces_t **self_p)
{
    traces_t *self = *self_p;
    if (!self)
        return;
    while (self->oldest)
        remove_oldest(self);
    texts_destroy(&self->texts);
    free(self);
    *self_p = NULL;
}
