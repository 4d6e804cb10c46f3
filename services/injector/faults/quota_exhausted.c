/* quota_exhausted: the namespace has a quota of pods that is used up, so that no new pod comes. */
#include "services/injector/edit.h"
#include "services/injector/workload.h"

#include "base/auto.h"
#include "base/mem.h"

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    AUTO_FREE char *name = xasprintf("%s-quota", target);
    int rc = edit_create(work,
        json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:{s:o}}}", "apiVersion", "v1", "kind",
            "ResourceQuota", "metadata", "name", name, "namespace", fault_namespace(work), "spec",
            "hard", "pods", json_sprintf("%lld", (long long)fault_number(work, "pods"))),
        err);
    return rc < 0 ? rc : workload_restart(work, target, WORKLOAD_STOP, err);
}

const fault_kind_t fault_quota_exhausted = {
    .watched = "ResourceQuota", .inject = inject, .recover = edit_recover, .alive = edit_alive};
