/* query - Jaeger's answers, as its HTTP API gives them: {"data": ..., "errors": null, ...}. */
#ifndef JAEGER_QUERY_H
#define JAEGER_QUERY_H

#include "apps/jaeger/traces.h"
#include "base/err.h"

/* What /api/traces is asked with. */
typedef struct query {
    const char *service;   /* at least one span is of it */
    const char *operation; /* the same span has it; NULL: any */
    int64_t start_us;      /* the same span began within */
    int64_t end_us;
    int64_t min_duration_us; /* and took that long; 0: any */
    int64_t max_duration_us; /* INT64_MAX: any */
    size_t limit;            /* traces, the latest */
} query_t;

/* Each returns new memory with the whole body. */
char *query_services(const traces_t *traces);
char *query_operations(const traces_t *traces, const char *service);
char *query_traces(const traces_t *traces, const query_t *query);
char *query_trace(const traces_t *traces, const traces_trace_t *trace);

/* Who called whom how often, in spans that began within. */
char *query_dependencies(const traces_t *traces, int64_t start_us, int64_t end_us);

/* The body of a failure. */
char *query_error(int status, const char *message);

/* Reads "1h", "5m", "30s", "100ms", "250us" into microseconds. */
int query_parse_duration(const char *text, int64_t *us_p, err_t *err);

#endif
