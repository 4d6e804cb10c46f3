/* noop: nothing is broken, for problems whose right answer is that all is well. */
#include "services/injector/fault.h"

static int inject(fault_work_t *work, const char *target, err_t *err)
{
    (void)work;
    (void)target;
    (void)err;
    return 0;
}

static int recover(fault_work_t *work, err_t *err)
{
    (void)work;
    (void)err;
    return 0;
}

static int alive(fault_work_t *work, err_t *err)
{
    (void)err;
    work->finding = FAULT_HOLDS;
    work->evidence = json_object();
    return 0;
}

const fault_kind_t fault_noop = {.inject = inject, .recover = recover, .alive = alive};
