/* trace_table - what Jaeger's query API answers, as rows of the original's table. */
#ifndef TELEMETRY_TRACE_TABLE_H
#define TELEMETRY_TRACE_TABLE_H

#include "base/err.h"

#include <jansson.h>
#include <stddef.h>

typedef struct trace_table trace_table_t;

trace_table_t *trace_table_new(void);
void trace_table_destroy(trace_table_t **self_p);

/* Adds the traces of an answer of /api/traces, each trace once however often it is answered. Parts
 * that are not as Jaeger writes them are left out; fails with ERR_INVALID on what is no answer. */
int trace_table_add(trace_table_t *self, const char *answer, size_t size, err_t *err);

/* In how many traces of the table a service took part. */
size_t trace_table_count(const trace_table_t *self, const char *service);

/* The table as CSV, oldest span first, for free(). */
char *trace_table_text(const trace_table_t *self);

/* The names in an answer of /api/services: a new array, empty if it is none. */
json_t *trace_table_services(const char *answer, size_t size);

#endif
