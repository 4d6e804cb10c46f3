/* affinity_deadlock: the pods want to be where pods of their own release are, of which there can
 * never be a first one. */
#include "services/injector/edit.h"
#include "services/injector/workload.h"

static int edit(fault_work_t *work, json_t *workload, json_t *container, err_t *err)
{
    (void)container;
    (void)err;
    json_auto_t *affinity = json_pack("{s:{s:{s:[{s:{s:{s:s}}, s:s}]}}}", "affinity", "podAffinity",
        "requiredDuringSchedulingIgnoredDuringExecution", "labelSelector", "matchLabels",
        "release-track", fault_text(work, "track"), "topologyKey", "kubernetes.io/hostname");
    json_object_update_recursive(workload_pod_spec(workload), affinity);
    return 0;
}

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    return workload_edit(work, target, edit, WORKLOAD_SWAP, err);
}

const fault_kind_t fault_affinity_deadlock = {
    .watched = "Deployment", .inject = inject, .recover = edit_recover, .alive = edit_alive};
