/* wrong_target_port: the Service sends its clients to a port where nobody listens. */
#include "services/injector/edit.h"

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    json_auto_t *before = NULL;
    int rc = kube_call(
        work->kube, kube_get(KUBE("Service", fault_namespace(work), target)), &before, err);
    if (rc < 0)
        return rc;
    json_auto_t *after = json_deep_copy(before);
    size_t i;
    json_t *port;
    json_array_foreach(json_object_get(json_object_get(after, "spec"), "ports"), i, port)
        json_object_set_new(port, "targetPort", json_integer(fault_number(work, "port")));
    return edit_change(work, before, after, err);
}

const fault_kind_t fault_wrong_target_port = {
    .watched = "Service", .inject = inject, .recover = edit_recover, .alive = edit_alive};
