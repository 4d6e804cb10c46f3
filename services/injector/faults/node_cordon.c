/* node_cordon: the node takes no new pods. */
#include "services/injector/edit.h"

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    json_auto_t *before = NULL;
    int rc =
        kube_call(work->kube, kube_get(KUBE("Node", fault_namespace(work), target)), &before, err);
    if (rc < 0)
        return rc;
    json_auto_t *after = json_deep_copy(before);
    json_object_set_new(json_object_get(after, "spec"), "unschedulable", json_true());
    return edit_change(work, before, after, err);
}

const fault_kind_t fault_node_cordon = {
    .watched = "Node", .inject = inject, .recover = edit_recover, .alive = edit_alive};
