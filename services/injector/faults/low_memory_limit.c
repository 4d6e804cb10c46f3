/* low_memory_limit: the container may use less memory than it needs. */
#include "services/injector/edit.h"
#include "services/injector/workload.h"

static int edit(fault_work_t *work, json_t *workload, json_t *container, err_t *err)
{
    (void)workload;
    (void)err;
    json_auto_t *quantity = json_sprintf("%lldMi", (long long)fault_number(work, "mib"));
    json_auto_t *resources = json_pack("{s:{s:{s:O}, s:{s:O}}}", "resources", "limits", "memory",
        quantity, "requests", "memory", quantity);
    json_object_update_recursive(container, resources);
    return 0;
}

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    return workload_edit(work, target, edit, WORKLOAD_SWAP, err);
}

const fault_kind_t fault_low_memory_limit = {
    .watched = "Deployment", .inject = inject, .recover = edit_recover, .alive = edit_alive};
