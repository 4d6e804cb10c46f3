/* "SCHEMA\nOBJECT": the schema checked and, if it is structural, made use of as that of a
 * CustomResourceDefinition. Then the object is a path and a pattern, too. */
#include "services/cluster/env/json_path.h"
#include "services/cluster/env/schema/fields.h"
#include "services/cluster/env/schema/pattern.h"
#include "services/cluster/env/schema/structural.h"

#include "base/auto.h"
#include "base/mem.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(json_t *schema, json_t *object)
{
    causes_t causes;
    json_auto_t *unknown = json_array();
    causes_init(&causes);
    structural_check(schema, "schema", &causes);
    if (causes_is_empty(&causes)) {
        structural_prune(schema, object, unknown);
        structural_default(schema, object);
        structural_validate(schema, object, &causes);
    }
    causes_done(&causes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = xstrndup((const char *)data, size);
    char *end = strchr(text, '\n');
    if (!end)
        return 0;
    *end = 0;
    json_auto_t *schema = json_loads(text, 0, NULL);
    json_auto_t *object = json_loads(end + 1, JSON_DECODE_ANY, NULL);
    json_auto_t *unknown = json_array();
    (void)pattern_match(text, end + 1);
    if (object)
        (void)json_path_first(object, text);
    if (schema && object
        && fields_check(schema, "apiextensions/v1.JSONSchemaProps", unknown, NULL) == 0)
        use(schema, object);
    return 0;
}
