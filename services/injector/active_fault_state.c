/* The states of a fault: their names on the wire, and which may follow which. */
#include "services/injector/active_fault.h"

#define BIT(state) (1U << (state))

static const char *const names[FAULT_STATES] = {
    [FAULT_SCHEDULED] = "scheduled",
    [FAULT_INJECTING] = "injecting",
    [FAULT_ACTIVE] = "active",
    [FAULT_RECOVERING] = "recovering",
    [FAULT_RECOVERED] = "recovered",
    [FAULT_UNDONE] = "repaired",
    [FAULT_DEAD] = "dead",
    [FAULT_FAILED] = "failed",
};

static const uint16_t allowed[FAULT_STATES] = {
    [FAULT_SCHEDULED] = BIT(FAULT_INJECTING) | BIT(FAULT_RECOVERING),
    [FAULT_INJECTING] = BIT(FAULT_ACTIVE) | BIT(FAULT_FAILED) | BIT(FAULT_RECOVERING),
    [FAULT_ACTIVE] = BIT(FAULT_UNDONE) | BIT(FAULT_DEAD) | BIT(FAULT_RECOVERING),
    [FAULT_RECOVERING] = BIT(FAULT_RECOVERED) | BIT(FAULT_FAILED) | BIT(FAULT_SCHEDULED),
    [FAULT_UNDONE] = BIT(FAULT_ACTIVE) | BIT(FAULT_DEAD) | BIT(FAULT_RECOVERING),
    [FAULT_DEAD] = BIT(FAULT_ACTIVE) | BIT(FAULT_UNDONE) | BIT(FAULT_RECOVERING),
    [FAULT_RECOVERED] = 0,
    [FAULT_FAILED] = BIT(FAULT_RECOVERING),
};

bool active_fault_may_move(fault_state_t from, fault_state_t to)
{
    return allowed[from] & BIT(to);
}

const char *active_fault_state_name(fault_state_t state)
{
    return names[state];
}

json_t *active_fault_to_json(const active_fault_t *self)
{
    const record_t *record = self->record;
    json_auto_t *targets = json_deep_copy(record->struck);
    for (size_t i = 0; i < record->targets.count && !json_array_size(record->struck); i++)
        json_array_append_new(targets, json_string(record->targets.items[i]));
    return json_pack("{s:s, s:s, s:s, s:s, s:O, s:s?}", "fault_id", record->fault_id, "fault",
        record->fault, "env", record->env, "state", names[self->state], "targets", targets,
        "reason", record->reason);
}
