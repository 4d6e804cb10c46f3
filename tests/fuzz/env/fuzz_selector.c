/* Selector texts: whatever parses must match without harm. */
#include "services/cluster/env/selector.h"

#include "base/auto.h"
#include "base/mem.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = xstrndup((const char *)data, size);
    json_auto_t *labels = json_pack("{s:s, s:s}", "a", "b", "c", "");
    AUTO(selector_destroy) selector_t *selector = selector_parse(text, NULL);
    AUTO(selector_destroy) selector_t *fields = selector_parse_fields(text, NULL);
    if (selector)
        (void)selector_matches(selector, labels);
    if (fields)
        (void)selector_matches_fields(fields, labels);
    return 0;
}
