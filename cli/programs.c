#include "cli/programs.h"

#include "base/auto.h"

#include <string.h>

const char *const program_names[] = {
    "broker", "cluster", "evaluator", "injector", "loadgen", "orchestrator", "telemetry"};
const size_t program_count = ARRAY_SIZE(program_names);

bool program_is_known(const char *name)
{
    for (size_t i = 0; i < program_count; i++) {
        if (strcmp(program_names[i], name) == 0)
            return true;
    }
    return false;
}
