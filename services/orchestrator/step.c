#include "services/orchestrator/step.h"

#include "base/mem.h"
#include "services/orchestrator/orchestrator_internal.h"
#include "services/orchestrator/session.h"

void step_say(step_t *self, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *observation = NULL;
    if (vasprintf(&observation, format, args) < 0)
        mem_check(NULL);
    va_end(args);
    step_finish(self, observation);
}

void step_ask(step_t *self, const char *target, const codec_type_t *type, const void *message,
    int64_t timeout_ms, bus_reply_fn *on_reply)
{
    bus_call_t call = {.target = target,
        .type = type,
        .message = message,
        .timeout_ms = timeout_ms,
        .session = self->session->id};
    self->call = bus_request(self->session->owner->bus, &call, on_reply, self);
}

const char *step_text(const step_t *self, const char *parameter)
{
    return json_string_value(json_object_get(self->arguments, parameter));
}

int64_t step_integer(const step_t *self, const char *parameter, int64_t otherwise)
{
    const json_t *value = json_object_get(self->arguments, parameter);
    return value ? json_integer_value(value) : otherwise;
}
