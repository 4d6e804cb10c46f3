/* secret_value_wrong: a Secret holds a wrong value for those who read it. */
#include "services/injector/edit.h"
#include "services/injector/keys.h"

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    return keys_break(work, "Secret", target, fault_text(work, "value"), err);
}

const fault_kind_t fault_secret_value_wrong = {
    .watched = "Secret", .inject = inject, .recover = edit_recover, .alive = edit_alive};
