#include "cli/programs.h"

#include "base/auto.h"

const char *const program_names[] = {
    "broker", "cluster", "evaluator", "injector", "loadgen", "orchestrator", "telemetry"};
const size_t program_count = ARRAY_SIZE(program_names);
