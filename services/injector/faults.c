#include "services/injector/fault.h"

#include "base/auto.h"
#include "base/nearest.h"

#include <string.h>

static const fault_kind_t *const kinds[] = {
    &fault_misconfig_app,
    &fault_noop,
};

const fault_kind_t *fault_kind_find(const char *name, err_t *err)
{
    const char *names[ARRAY_SIZE(kinds)];
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        names[i] = kinds[i]->name;
        if (strcmp(names[i], name) == 0)
            return kinds[i];
    }
    AUTO_FREE char *hint = nearest_hint(name, names, ARRAY_SIZE(kinds));
    err_set(err, ERR_NOT_FOUND, "there is no fault '%.60s'%s%s", name, *hint ? "; " : "", hint);
    return NULL;
}

const char *fault_parameter(const fault_work_t *work, const char *name, const char *otherwise)
{
    const char *value = json_string_value(json_object_get(work->record->parameters, name));
    return value ? value : otherwise;
}
