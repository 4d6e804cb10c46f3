/* hanging_init_container: the pods wait in an init container for a host that never comes. */
#include "services/injector/edit.h"
#include "services/injector/workload.h"

#include "base/auto.h"
#include "base/mem.h"

static int edit(fault_work_t *work, json_t *workload, json_t *container, err_t *err)
{
    (void)err;
    json_t *image = json_object_get(container, "image");
    AUTO_FREE char *script =
        xasprintf("until getent hosts %s; do sleep 2; done", fault_text(work, "host"));
    json_array_append_new(workload_list(workload_pod_spec(workload), "initContainers"),
        json_pack("{s:s, s:O, s:[s, s, s]}", "name", "wait-for-dependencies", "image", image,
            "command", "sh", "-c", script));
    return 0;
}

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    return workload_edit(work, target, edit, WORKLOAD_SWAP, err);
}

/* Also over once there is a Service of that name. */
static int alive(fault_work_t *work, err_t *err)
{
    json_auto_t *service = NULL;
    int rc = edit_alive(work, err);
    if (rc == 0)
        rc = edit_look(work, "Service", fault_text(work, "host"), &service, err);
    if (rc == 0 && service)
        work->finding = FAULT_REPAIRED;
    return rc;
}

const fault_kind_t fault_hanging_init_container = {
    .watched = "Deployment", .inject = inject, .recover = edit_recover, .alive = alive};
