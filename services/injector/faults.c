#include "services/injector/fault.h"

#include "base/auto.h"
#include "base/number.h"

#include <assert.h>
#include <string.h>

static const struct row {
    const char *name;
    const fault_kind_t *kind;
} rows[] = {
#define FAULT(name, level, strikes, summary, symptom, needs) {#name, &fault_##name},
#define PARAMETER(fault, name, type, usual, least, most, unit, doc)
#define END(name)
/* clang-format off */
#include "faults/faults.def"
/* clang-format on */
#undef FAULT
#undef PARAMETER
#undef END
};

const fault_kind_t *fault_kind_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].kind;
    }
    return NULL;
}

const char *fault_text_or(const fault_work_t *work, const char *name, const char *otherwise)
{
    const char *value = json_string_value(json_object_get(work->record->parameters, name));
    return value ? value : otherwise;
}

static const fault_parameter_t *parameter_named(const fault_work_t *work, const char *name)
{
    const fault_spec_t *spec = work->spec;
    size_t i = 0;
    while (i < spec->parameter_count && strcmp(spec->parameters[i].name, name) != 0)
        i++;
    assert(i < spec->parameter_count); /* the row and the file belong together */
    return &spec->parameters[i];
}

const char *fault_text(const fault_work_t *work, const char *name)
{
    return fault_text_or(work, name, parameter_named(work, name)->usual);
}

int64_t fault_number(const fault_work_t *work, const char *name)
{
    const fault_parameter_t *parameter = parameter_named(work, name);
    const json_t *value = json_object_get(work->record->parameters, name);
    if (json_is_integer(value))
        return json_integer_value(value);
    const char *text = json_is_string(value) ? json_string_value(value) : parameter->usual;
    return number_or(text, parameter->least, parameter->most, parameter->least);
}

const char *fault_namespace(const fault_work_t *work)
{
    return work->record->namespace;
}
