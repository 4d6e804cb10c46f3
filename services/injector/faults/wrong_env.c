/* wrong_env: a variable of the container's environment has a wrong value. */
#include "services/injector/edit.h"
#include "services/injector/workload.h"

#include <string.h>

static int edit(fault_work_t *work, json_t *workload, json_t *container, err_t *err)
{
    (void)workload;
    (void)err;
    json_t *variables = workload_list(container, "env");
    const char *name = fault_text(work, "name");
    const char *value = fault_text(work, "value");
    size_t i;
    json_t *variable;
    json_array_foreach(variables, i, variable)
    {
        if (strcmp(json_string_value(json_object_get(variable, "name")), name) != 0)
            continue;
        json_object_del(variable, "valueFrom");
        json_object_set_new(variable, "value", json_string(value));
        return 0;
    }
    json_array_append_new(variables, json_pack("{s:s, s:s}", "name", name, "value", value));
    return 0;
}

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    return workload_edit(work, target, edit, WORKLOAD_SWAP, err);
}

const fault_kind_t fault_wrong_env = {
    .watched = "Deployment", .inject = inject, .recover = edit_recover, .alive = edit_alive};
