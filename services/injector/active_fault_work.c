/* What a fault does on a thread of its own. */
#include "services/injector/active_fault.h"

#include "base/auto.h"
#include "services/injector/targets.h"

/* Those that are due: all, or with a ramp the next one. */
static int strike(active_fault_t *self, fault_work_t *work, err_t *err)
{
    if (!*self->spec->strikes)
        return self->kind->inject(work, NULL, err);
    int rc = targets_resolve(work, err);
    size_t count = json_array_size(work->record->struck);
    size_t end = work->record->times.ramp_ms > 0 ? self->struck_count + 1 : count;
    while (rc == 0 && self->struck_count < count && self->struck_count < end) {
        const char *target =
            json_string_value(json_array_get(work->record->struck, self->struck_count));
        rc = self->kind->inject(work, target, err);
        if (rc == 0)
            self->struck_count++;
    }
    return rc;
}

/* A half-way failure is rolled back at once. */
static void inject(active_fault_t *self, fault_work_t *work)
{
    if (strike(self, work, &work->err) == 0 || json_array_size(work->record->changes) == 0)
        return;
    err_t cause = {0};
    if (self->kind->recover(work, &cause) < 0)
        (void)err_wrap(&work->err, "not undone (%s)", cause.text);
    else
        (void)err_wrap(&work->err, "rolled back");
}

void active_fault_do_work(void *fault)
{
    active_fault_t *self = fault;
    fault_work_t *work = &self->work;
    kube_config_t config = {.server = self->server, .token = self->token, .ca_pem = self->ca};
    AUTO(kube_destroy) kube_t *kube = kube_new(NULL, &config, &work->err);
    work->kube = kube;
    if (!kube)
        return;
    if (self->order == FAULT_CHECK)
        (void)self->kind->alive(work, &work->err); /* the code is in err */
    else if (self->order == FAULT_INJECT)
        inject(self, work);
    else
        (void)self->kind->recover(work, &work->err);
}
