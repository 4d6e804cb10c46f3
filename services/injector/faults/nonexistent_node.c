/* nonexistent_node: the pods ask for a node that the cluster does not have. */
#include "services/injector/edit.h"
#include "services/injector/workload.h"

static int edit(fault_work_t *work, json_t *workload, json_t *container, err_t *err)
{
    (void)container;
    (void)err;
    json_auto_t *selector =
        json_pack("{s:{s:s}}", "nodeSelector", "kubernetes.io/hostname", fault_text(work, "node"));
    json_object_update_recursive(workload_pod_spec(workload), selector);
    return 0;
}

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    return workload_edit(work, target, edit, WORKLOAD_SWAP, err);
}

const fault_kind_t fault_nonexistent_node = {
    .watched = "Deployment", .inject = inject, .recover = edit_recover, .alive = edit_alive};
