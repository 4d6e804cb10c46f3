/* Schedules: what parses has a next time that is later, or none. */
#include "services/cluster/env/cron.h"

#include "base/auto.h"
#include "base/mem.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const time_t now = 1795514400;
    cron_t cron;
    AUTO_FREE char *text = xstrndup((const char *)data, size);
    if (cron_parse(&cron, text, NULL) < 0)
        return 0;
    time_t next = cron_next(&cron, now, NULL);
    if (next != -1 && next <= now)
        abort();
    return 0;
}
