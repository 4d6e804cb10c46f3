#include "base/auto.h"
#include "base/mem.h"
#include "services/loadgen/line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *line = xstrndup((const char *)data, size);
    load_report_t report = {.second = -1};
    bool is_report = line_read(line, &report);
    if (is_report != (report.second >= 0))
        abort();
    return 0;
}
