/* missing_env: a variable of the container's environment is not set. */
#include "services/injector/edit.h"
#include "services/injector/workload.h"

#include <string.h>

static int edit(fault_work_t *work, json_t *workload, json_t *container, err_t *err)
{
    json_t *variables = json_object_get(container, "env");
    const char *name = fault_text(work, "name");
    size_t i;
    json_t *variable;
    json_array_foreach(variables, i, variable)
    {
        if (strcmp(json_string_value(json_object_get(variable, "name")), name) == 0)
            return json_array_remove(variables, i);
    }
    (void)workload;
    return err_set(err, ERR_NOT_FOUND, "the container has no variable '%.60s'", name);
}

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    return workload_edit(work, target, edit, WORKLOAD_SWAP, err);
}

const fault_kind_t fault_missing_env = {
    .watched = "Deployment", .inject = inject, .recover = edit_recover, .alive = edit_alive};
