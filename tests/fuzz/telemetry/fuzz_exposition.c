/* Whatever an application answers on /metrics is read without harm. */
#include "services/telemetry/exposition.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

enum { SMALL = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    exposition_t exposition;
    sample_t sample;
    char name[SMALL];
    char value[SMALL];
    exposition_init(&exposition, (const char *)data, size);
    while (exposition_next(&exposition, &sample)) {
        assert(sample.name_length > 0);
        size_t at = 0;
        while (exposition_next_label(
            sample.labels, sample.labels_length, &at, name, sizeof(name), value, sizeof(value)))
            assert(at <= sample.labels_length && strlen(name) < SMALL && strlen(value) < SMALL);
    }
    return 0;
}
