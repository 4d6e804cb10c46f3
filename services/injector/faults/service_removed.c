/* service_removed: the Service is deleted. */
#include "services/injector/edit.h"

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    json_auto_t *before = NULL;
    int rc = kube_call(
        work->kube, kube_get(KUBE("Service", fault_namespace(work), target)), &before, err);
    if (rc < 0)
        return rc;
    return edit_remove(work, before, err);
}

const fault_kind_t fault_service_removed = {
    .watched = "Service", .inject = inject, .recover = edit_recover, .alive = edit_alive};
