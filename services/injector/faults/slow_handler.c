/* slow_handler: a release that is slow. */
#include "services/injector/edit.h"
#include "services/injector/workload.h"

static int edit(fault_work_t *work, json_t *workload, json_t *container, err_t *err)
{
    (void)workload;
    (void)err;
    json_object_set_new(container, "image", json_string(fault_text(work, "image")));
    return 0;
}

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    return workload_edit(work, target, edit, WORKLOAD_SWAP, err);
}

const fault_kind_t fault_slow_handler = {
    .watched = "Deployment", .inject = inject, .recover = edit_recover, .alive = edit_alive};
