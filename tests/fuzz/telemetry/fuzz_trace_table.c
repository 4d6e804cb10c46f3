/* Whatever a trace store answers is read without harm. */
#include "base/auto.h"
#include "services/telemetry/trace_table.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(trace_table_destroy) trace_table_t *table = trace_table_new();
    json_auto_t *names = trace_table_services((const char *)data, size);
    if (trace_table_add(table, (const char *)data, size, NULL) < 0)
        return 0;
    AUTO_FREE char *text = trace_table_text(table);
    return 0;
}
