#include "services/injector/injector.h"

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/paths.h"
#include "services/injector/active_fault.h"

#include <dirent.h>

struct injector {
    ev_t *ev;
    bus_t *bus;
    char *folder;
    zhashx_t *faults; /* id -> active_fault_t */
    metric_t *injected;
};

/* ---- requests ----------------------------------------------------------------------------- */

static active_fault_t *add(injector_t *self, const fault_kind_t *kind, record_t *record)
{
    active_fault_t *fault = active_fault_new(self, self->ev, self->bus, kind, record);
    zhashx_insert(self->faults, record->fault_id, fault);
    return fault;
}

static void on_inject(void *arg, bus_request_t *request, const void *message)
{
    injector_t *self = arg;
    const fault_inject_t *inject = message;
    err_t err = {0};
    active_fault_t *fault = zhashx_lookup(self->faults, inject->fault_id);
    const fault_kind_t *kind = fault ? fault->kind : fault_kind_find(inject->fault, &err);
    if (!kind) {
        bus_fail_err(&request, &err);
        return;
    }
    if (!fault) {
        record_t *record = record_new(self->folder, inject);
        if (record_save(record, &err) < 0) {
            record_destroy(&record);
            bus_fail_err(&request, &err);
            return;
        }
        fault = add(self, kind, record);
        metric_add(self->injected, 1);
    }
    active_fault_demand(fault, FAULT_INJECT, &request);
}

static void demand(
    injector_t *self, bus_request_t *request, const char *fault_id, fault_order_t order)
{
    active_fault_t *fault = zhashx_lookup(self->faults, fault_id);
    if (fault)
        active_fault_demand(fault, order, &request);
    else
        bus_fail(&request, ERR_NOT_FOUND, "there is no fault '%.60s'", fault_id);
}

static void on_recover(void *arg, bus_request_t *request, const void *message)
{
    demand(arg, request, ((const fault_recover_t *)message)->fault_id, FAULT_RECOVER);
}

static void on_check(void *arg, bus_request_t *request, const void *message)
{
    demand(arg, request, ((const fault_check_t *)message)->fault_id, FAULT_CHECK);
}

static const bus_handler_t handlers[] = {
    {&fault_check_type, on_check},
    {&fault_inject_type, on_inject},
    {&fault_recover_type, on_recover},
};

void injector_on_fault_dropped(injector_t *self, active_fault_t *fault)
{
    log_info("fault.dropped", "fault=%s env=%s", fault->record->fault_id, fault->record->env);
    zhashx_delete(self->faults, fault->record->fault_id);
}

/* ---- life cycle --------------------------------------------------------------------------- */

static void resume(injector_t *self, const char *path)
{
    err_t err = {0};
    record_t *record = record_load(path, &err);
    const fault_kind_t *kind = record ? fault_kind_find(record->fault, &err) : NULL;
    if (!kind) {
        log_error("fault.lost", "file=\"%s\" reason=\"%s\"", path, err.text);
        record_destroy(&record);
        return;
    }
    log_info("fault.resumed", "fault=%s state=%s", record->fault_id, record->state);
    active_fault_resume(add(self, kind, record));
}

static int resume_all(injector_t *self, err_t *err)
{
    if (paths_make_private(self->folder, err) < 0)
        return -(int)err->code;
    DIR *folder = opendir(self->folder);
    if (!folder)
        return err_set(err, ERR_IO, "cannot read the folder '%s'", self->folder);
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        const char *suffix = strrchr(entry->d_name, '.');
        AUTO_FREE char *path = xasprintf("%s/%s", self->folder, entry->d_name);
        if (suffix && strcmp(suffix, ".json") == 0)
            resume(self, path);
    }
    closedir(folder);
    return 0;
}

injector_t *injector_new(const injector_config_t *config, err_t *err)
{
    AUTO(injector_destroy) injector_t *self = xcalloc(1, sizeof(*self));
    self->ev = config->ev;
    self->bus = config->bus;
    self->folder = xstrdup(config->folder);
    self->faults = zhashx_new();
    zhashx_set_destructor(self->faults, (zhashx_destructor_fn *)active_fault_destroy);
    self->injected = metrics_counter(
        config->metrics, "aiopslab_faults_injected_total", "Faults asked for", NULL);
    if (resume_all(self, err) < 0)
        return NULL;
    bus_serve(self->bus, "injector", handlers, ARRAY_SIZE(handlers), self);
    return TAKE(self);
}

void injector_destroy(injector_t **self_p)
{
    injector_t *self = TAKE(*self_p);
    if (!self)
        return;
    zhashx_destroy(&self->faults);
    free(self->folder);
    free(self);
}
