/* secret_key_missing: a Secret lacks a key that pods ask for. */
#include "services/injector/edit.h"
#include "services/injector/keys.h"

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    return keys_break(work, "Secret", target, NULL, err);
}

const fault_kind_t fault_secret_key_missing = {
    .watched = "Secret", .inject = inject, .recover = edit_recover, .alive = edit_alive};
