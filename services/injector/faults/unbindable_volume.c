/* unbindable_volume: the pods mount a claim that no volume and no provisioner can satisfy. */
#include "services/injector/edit.h"
#include "services/injector/workload.h"

static int edit(fault_work_t *work, json_t *workload, json_t *container, err_t *err)
{
    (void)err;
    const char *target =
        json_string_value(json_object_get(json_object_get(workload, "metadata"), "name"));
    json_array_append_new(workload_list(workload_pod_spec(workload), "volumes"),
        json_pack("{s:s, s:{s:o}}", "name", "data", "persistentVolumeClaim", "claimName",
            json_sprintf("%s-data", target)));
    json_array_append_new(workload_list(container, "volumeMounts"),
        json_pack("{s:s, s:s}", "name", "data", "mountPath", fault_text(work, "path")));
    return 0;
}

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    int rc = edit_create(work,
        json_pack("{s:s, s:s, s:{s:o, s:s}, s:{s:[s], s:s, s:{s:{s:s}}}}", "apiVersion", "v1",
            "kind", "PersistentVolumeClaim", "metadata", "name", json_sprintf("%s-data", target),
            "namespace", fault_namespace(work), "spec", "accessModes", "ReadWriteOnce",
            "storageClassName", fault_text(work, "class"), "resources", "requests", "storage",
            "1Gi"),
        err);
    return rc < 0 ? rc : workload_edit(work, target, edit, WORKLOAD_SWAP, err);
}

const fault_kind_t fault_unbindable_volume = {
    .watched = "Deployment", .inject = inject, .recover = edit_recover, .alive = edit_alive};
