/* old_volume_redeploy: an application was deployed anew, and the volume of its former life is still
 * bound to the claim of that life, which is gone. */
#include "services/injector/edit.h"
#include "services/injector/workload.h"

#include "base/auto.h"
#include "base/mem.h"

/* Of the claim that is no more. */
static const char former_uid[] = "5e1d4f0c-7c0a-4a57-9d0e-3b1f6a8c2d41";

static int make_volume(fault_work_t *work, const char *claim, err_t *err)
{
    return edit_create(work,
        json_pack("{s:s, s:s, s:{s:s}, s:{s:{s:s}, s:[s], s:s, s:s, s:{s:s+}, s:{s:s, s:s, s:s, "
                  "s:s, s:s}}}",
            "apiVersion", "v1", "kind", "PersistentVolume", "metadata", "name", claim, "spec",
            "capacity", "storage", "1Gi", "accessModes", "ReadWriteOnce",
            "persistentVolumeReclaimPolicy", "Retain", "storageClassName", "", "hostPath", "path",
            "/var/lib/volumes/", claim, "claimRef", "apiVersion", "v1", "kind",
            "PersistentVolumeClaim", "name", claim, "namespace", fault_namespace(work), "uid",
            former_uid),
        err);
}

static int make_claim(fault_work_t *work, const char *claim, err_t *err)
{
    return edit_create(work,
        json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:[s], s:s, s:s, s:{s:{s:s}}}}", "apiVersion", "v1",
            "kind", "PersistentVolumeClaim", "metadata", "name", claim, "namespace",
            fault_namespace(work), "spec", "accessModes", "ReadWriteOnce", "storageClassName", "",
            "volumeName", claim, "resources", "requests", "storage", "1Gi"),
        err);
}

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    AUTO_FREE char *claim = xasprintf("%s-data", target);
    work->is_aside = true;
    int rc = make_volume(work, claim, err);
    rc = rc < 0 ? rc : make_claim(work, claim, err);
    work->is_aside = false;
    return rc < 0 ? rc : workload_edit(work, target, workload_mount_claim, WORKLOAD_SWAP, err);
}

const fault_kind_t fault_old_volume_redeploy = {.watched = "Deployment",
    .inject = inject,
    .recover = edit_recover,
    .alive = workload_claim_is_pending};
