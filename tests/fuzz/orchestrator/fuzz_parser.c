/* What an agent says is foreign text: it is parsed, or complained of, and nothing else happens. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/orchestrator/parser.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const actions[] = {"exec_shell", "get_logs", "submit"};
    AUTO_FREE char *text = xstrndup((const char *)data, size);
    parsed_t parsed = {0};
    AUTO_FREE char *complaint = NULL;
    if (parser_parse(text, actions, ARRAY_SIZE(actions), &parsed, &complaint) < 0) {
        if (!complaint)
            abort();
        return 0;
    }
    if (!parsed.name || !json_is_array(parsed.args) || !json_is_object(parsed.kwargs))
        abort();
    parser_free(&parsed);
    return 0;
}
