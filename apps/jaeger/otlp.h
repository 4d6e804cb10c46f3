/* otlp - reads the body of an OTLP/HTTP trace export in JSON into a store of traces.
 * https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding */
#ifndef JAEGER_OTLP_H
#define JAEGER_OTLP_H

#include "apps/jaeger/traces.h"
#include "base/err.h"

typedef struct otlp_counts {
    size_t accepted;
    size_t rejected; /* spans without usable ids, name or times */
} otlp_counts_t;

/* Fails with -ERR_INVALID if the body is no such export at all. */
int otlp_read(traces_t *traces, const char *body, size_t size, otlp_counts_t *counts_p, err_t *err);

#endif
