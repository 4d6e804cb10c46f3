/* rbac_denial: a Role no longer permits anything. */
#include "services/injector/edit.h"

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    json_auto_t *before = NULL;
    int rc =
        kube_call(work->kube, kube_get(KUBE("Role", fault_namespace(work), target)), &before, err);
    if (rc < 0)
        return rc;
    json_auto_t *after = json_deep_copy(before);
    json_object_set_new(after, "rules", json_array());
    return edit_change(work, before, after, err);
}

const fault_kind_t fault_rbac_denial = {
    .watched = "Role", .inject = inject, .recover = edit_recover, .alive = edit_alive};
