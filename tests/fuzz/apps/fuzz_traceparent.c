/* What is accepted is written back as it was, but for what later versions may add. */
#include "apps/common/trace.h"
#include "base/auto.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *header = xstrndup((const char *)data, size);
    span_context_t context;
    char text[TRACE_PARENT_SIZE];
    if (!trace_parse_parent(header, &context))
        return 0;
    trace_format_parent(&context, text);
    if (strncmp(header + 2, text + 2, 51) != 0)
        abort();
    return 0;
}
