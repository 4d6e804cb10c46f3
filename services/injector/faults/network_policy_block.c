/* network_policy_block: a NetworkPolicy lets nobody reach the pods. */
#include "services/injector/edit.h"
#include "services/injector/workload.h"

#include "base/auto.h"
#include "base/mem.h"

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    json_auto_t *workload = NULL;
    int rc = workload_get(work, target, &workload, err);
    if (rc < 0)
        return rc;
    AUTO_FREE char *name = xasprintf("%s-ingress", target);
    json_t *selector = json_object_get(json_object_get(workload, "spec"), "selector");
    return edit_create(work,
        json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:O, s:[s], s:[]}}", "apiVersion",
            "networking.k8s.io/v1", "kind", "NetworkPolicy", "metadata", "name", name, "namespace",
            fault_namespace(work), "spec", "podSelector", selector, "policyTypes", "Ingress",
            "ingress"),
        err);
}

const fault_kind_t fault_network_policy_block = {
    .watched = "NetworkPolicy", .inject = inject, .recover = edit_recover, .alive = edit_alive};
