/* wrong_dns_policy: the pods ask the node's resolver, which knows no name of the cluster. */
#include "services/injector/edit.h"
#include "services/injector/workload.h"

static int edit(fault_work_t *work, json_t *workload, json_t *container, err_t *err)
{
    (void)work;
    (void)container;
    (void)err;
    json_object_set_new(workload_pod_spec(workload), "dnsPolicy", json_string("Default"));
    return 0;
}

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    return workload_edit(work, target, edit, WORKLOAD_SWAP, err);
}

const fault_kind_t fault_wrong_dns_policy = {
    .watched = "Deployment", .inject = inject, .recover = edit_recover, .alive = edit_alive};
