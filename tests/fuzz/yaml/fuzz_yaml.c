#include "yaml/yaml_json.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *documents = NULL;
    if (yaml_json_parse("fuzz", (const char *)data, size, &documents, NULL) == 0)
        json_decref(documents);
    return 0;
}
