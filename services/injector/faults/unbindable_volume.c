/* unbindable_volume: the pods mount a claim that no volume and no provisioner can satisfy. */
#include "services/injector/edit.h"
#include "services/injector/workload.h"

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    work->is_aside = true;
    int rc = edit_create(work,
        json_pack("{s:s, s:s, s:{s:o, s:s}, s:{s:[s], s:s, s:{s:{s:s}}}}", "apiVersion", "v1",
            "kind", "PersistentVolumeClaim", "metadata", "name", json_sprintf("%s-data", target),
            "namespace", fault_namespace(work), "spec", "accessModes", "ReadWriteOnce",
            "storageClassName", fault_text(work, "class"), "resources", "requests", "storage",
            "1Gi"),
        err);
    work->is_aside = false;
    return rc < 0 ? rc : workload_edit(work, target, workload_mount_claim, WORKLOAD_SWAP, err);
}

const fault_kind_t fault_unbindable_volume = {.watched = "Deployment",
    .inject = inject,
    .recover = edit_recover,
    .alive = workload_claim_is_pending};
