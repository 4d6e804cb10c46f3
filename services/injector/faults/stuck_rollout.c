/* stuck_rollout: a rollout that gets no new pod ready and keeps its old ones: the service answers,
 * and no new version ever comes. */
#include "services/injector/edit.h"
#include "services/injector/workload.h"

#include <string.h>

static int edit(fault_work_t *work, json_t *workload, json_t *container, err_t *err)
{
    json_t *spec = json_object_get(workload, "spec");
    if (strcmp(json_string_value(json_object_get(workload, "kind")), "Deployment") != 0)
        return err_set(err, ERR_INVALID, "only a Deployment's rollout can be stuck");
    json_auto_t *patient = json_pack("{s:I, s:{s:s, s:{s:i, s:i}}}", "progressDeadlineSeconds",
        (json_int_t)fault_number(work, "deadline"), "strategy", "type", "RollingUpdate",
        "rollingUpdate", "maxUnavailable", 0, "maxSurge", 1);
    json_object_update_recursive(spec, patient);
    json_object_set_new(container, "readinessProbe",
        json_pack("{s:{s:I}, s:i}", "tcpSocket", "port", (json_int_t)fault_number(work, "port"),
            "periodSeconds", 2));
    return 0;
}

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    return workload_edit(work, target, edit, WORKLOAD_ROLL, err);
}

const fault_kind_t fault_stuck_rollout = {
    .watched = "Deployment", .inject = inject, .recover = edit_recover, .alive = edit_alive};
