/* Reads an export, and asks everything about what came of it: all answers must be JSON. */
#include "apps/jaeger/otlp.h"
#include "apps/jaeger/query.h"
#include "base/auto.h"

#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_json(char *text)
{
    json_t *json = json_loads(text, 0, NULL);
    if (!json)
        abort();
    json_decref(json);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(traces_destroy) traces_t *traces = traces_new(4, 16);
    otlp_counts_t counts = {0};
    if (otlp_read(traces, (const char *)data, size, &counts, NULL) < 0)
        return 0;
    const traces_trace_t *trace = traces_newest(traces);
    expect_json(query_services(traces));
    expect_json(query_dependencies(traces, 0, INT64_MAX));
    if (trace)
        expect_json(query_trace(traces, trace));
    return 0;
}
