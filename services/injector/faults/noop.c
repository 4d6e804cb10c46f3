/* noop: nothing is broken, for problems whose right answer is that all is well. */
#include "services/injector/fault.h"

static int do_nothing(fault_work_t *work, err_t *err)
{
    (void)work;
    (void)err;
    return 0;
}

static int check(fault_work_t *work, err_t *err)
{
    (void)err;
    work->is_in_force = true;
    work->evidence = json_object();
    return 0;
}

const fault_kind_t fault_noop = {
    .name = "noop",
    .level = "none",
    .summary = "Nothing is broken",
    .inject = do_nothing,
    .recover = do_nothing,
    .check = check,
};
