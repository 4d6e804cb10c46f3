/* bad_readiness_probe: the probe asks a port where nobody listens, so no pod is ever ready. */
#include "services/injector/edit.h"
#include "services/injector/workload.h"

static int edit(fault_work_t *work, json_t *workload, json_t *container, err_t *err)
{
    (void)workload;
    (void)err;
    json_object_set_new(container, "readinessProbe",
        json_pack("{s:{s:I}, s:i, s:i, s:i}", "tcpSocket", "port",
            (json_int_t)fault_number(work, "port"), "periodSeconds", 2, "timeoutSeconds", 1,
            "failureThreshold", 2));
    return 0;
}

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    return workload_edit(work, target, edit, WORKLOAD_SWAP, err);
}

const fault_kind_t fault_bad_readiness_probe = {
    .watched = "Deployment", .inject = inject, .recover = edit_recover, .alive = edit_alive};
