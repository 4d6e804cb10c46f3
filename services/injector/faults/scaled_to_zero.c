/* scaled_to_zero: the workload wants no pods. */
#include "services/injector/edit.h"
#include "services/injector/workload.h"

static int edit(fault_work_t *work, json_t *workload, json_t *container, err_t *err)
{
    (void)work;
    (void)container;
    json_t *spec = json_object_get(workload, "spec");
    if (!json_object_get(spec, "replicas"))
        return err_set(err, ERR_INVALID, "a DaemonSet cannot be scaled");
    json_object_set_new(spec, "replicas", json_integer(0));
    return 0;
}

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    return workload_edit(work, target, edit, WORKLOAD_STOP, err);
}

const fault_kind_t fault_scaled_to_zero = {
    .watched = "Deployment", .inject = inject, .recover = edit_recover, .alive = edit_alive};
