/* feature_flag: a feature of the application is switched off by its flag. */
#include "services/injector/edit.h"
#include "services/injector/keys.h"

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    return keys_break(work, "ConfigMap", target, fault_text(work, "value"), err);
}

const fault_kind_t fault_feature_flag = {
    .watched = "ConfigMap", .inject = inject, .recover = edit_recover, .alive = edit_alive};
