/* "DOCUMENT\nPATCH", both JSON, through all three kinds of patch. The document must not change.
 * The document is looked through for keys that are there twice, too. */
#include "services/cluster/env/api/duplicates.h"
#include "services/cluster/env/api/patch.h"

#include "base/auto.h"
#include "base/mem.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *end = size ? memchr(text, '\n', size) : NULL;
    if (!end)
        return 0;
    json_auto_t *twice = json_array();
    duplicates_find(text, (size_t)(end - text), twice);
    json_auto_t *document = json_loadb(text, (size_t)(end - text), 0, NULL);
    json_auto_t *patch =
        json_loadb(end + 1, size - (size_t)(end + 1 - text), JSON_DECODE_ANY, NULL);
    if (!document || !patch)
        return 0;
    json_auto_t *before = json_deep_copy(document);
    json_decref(patch_merge(document, patch));
    json_decref(patch_json(document, patch, NULL));
    json_decref(patch_strategic(document, patch, "core/v1.Pod", NULL));
    if (!json_equal(before, document))
        abort();
    return 0;
}
