#include "services/injector/injector.h"

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/paths.h"
#include "services/injector/active_fault.h"
#include "services/injector/edit.h"

#include <dirent.h>

enum { SPAN_MAX_MS = 24 * 60 * 60 * 1000 };

struct injector {
    ev_t *ev;
    bus_t *bus;
    char *folder;
    zhashx_t *faults; /* id -> active_fault_t */
    metric_t *injected;
};

/* ---- requests ----------------------------------------------------------------------------- */

static active_fault_t *add(injector_t *self, record_t *record)
{
    active_fault_t *fault = active_fault_new(self, self->ev, self->bus, record);
    zhashx_insert(self->faults, record->fault_id, fault);
    return fault;
}

static int check_times(const fault_inject_t *inject, err_t *err)
{
    const int64_t spans[] = {
        inject->after_ms, inject->for_ms, inject->every_ms, inject->times, inject->ramp_ms};
    for (size_t i = 0; i < ARRAY_SIZE(spans); i++) {
        if (spans[i] < 0 || spans[i] > SPAN_MAX_MS)
            return err_set(err, ERR_INVALID, "a time of a fault must be from 0 to one day");
    }
    bool is_repeated = inject->every_ms > 0 || inject->times > 1;
    if (is_repeated && (inject->for_ms == 0 || inject->every_ms <= inject->for_ms))
        return err_set(err, ERR_INVALID,
            "a fault that is repeated needs a length, and every so often more than that");
    return 0;
}

/* The new fault, on record; NULL with *err. */
static active_fault_t *take_on(injector_t *self, const fault_inject_t *inject, err_t *err)
{
    const fault_spec_t *spec = fault_spec_find(inject->fault, err);
    if (!spec || check_times(inject, err) < 0
        || fault_spec_check(spec, (const char *const *)inject->targets.items, inject->targets.count,
               inject->params, err)
               < 0)
        return NULL;
    record_t *record = record_new(self->folder, inject);
    if (record_save(record, err) < 0) {
        record_destroy(&record);
        return NULL;
    }
    metric_add(self->injected, 1);
    return add(self, record);
}

static void on_inject(void *arg, bus_request_t *request, const void *message)
{
    injector_t *self = arg;
    const fault_inject_t *inject = message;
    err_t err = {0};
    active_fault_t *fault = zhashx_lookup(self->faults, inject->fault_id);
    if (!fault)
        fault = take_on(self, inject, &err);
    if (!fault) {
        bus_fail_err(&request, &err);
        return;
    }
    active_fault_demand(fault, FAULT_INJECT, &request);
    active_fault_follow(fault);
}

static int compare_ages(const void *a, const void *b)
{
    const active_fault_t *left = *(active_fault_t *const *)a;
    const active_fault_t *right = *(active_fault_t *const *)b;
    int64_t difference = left->record->times.asked_at - right->record->times.asked_at;
    if (difference)
        return difference < 0 ? -1 : 1;
    return strcmp(left->record->fault_id, right->record->fault_id);
}

static void on_list(void *arg, bus_request_t *request, const void *message)
{
    injector_t *self = arg;
    const char *env = ((const fault_list_t *)message)->env;
    AUTO_FREE active_fault_t **faults = xcalloc(zhashx_size(self->faults) + 1, sizeof(*faults));
    size_t count = 0;
    for (active_fault_t *fault = zhashx_first(self->faults); fault;
         fault = zhashx_next(self->faults)) {
        if (!env || strcmp(fault->record->env, env) == 0)
            faults[count++] = fault;
    }
    qsort(faults, count, sizeof(*faults), compare_ages);
    json_auto_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, active_fault_to_json(faults[i]));
    bus_reply(&request, &fault_listing_type, &(fault_listing_t){.faults = list});
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
    {&fault_list_type, on_list},
    {&fault_recover_type, on_recover},
};

void injector_on_fault_dropped(injector_t *self, active_fault_t *fault)
{
    log_info("fault.dropped", "fault=%s env=%s", fault->record->fault_id, fault->record->env);
    zhashx_delete(self->faults, fault->record->fault_id);
}

/* ---- faults of one environment ------------------------------------------------------------- */

static bool is_beside(const active_fault_t *fault, const active_fault_t *other)
{
    return fault != other && strcmp(fault->record->env, other->record->env) == 0;
}

/* A copy of the list, since what is done may change it; ends with NULL; for free(). */
static active_fault_t **others_of(injector_t *self, const active_fault_t *fault)
{
    active_fault_t **others = xcalloc(zhashx_size(self->faults) + 1, sizeof(*others));
    size_t count = 0;
    for (active_fault_t *other = zhashx_first(self->faults); other;
         other = zhashx_next(self->faults)) {
        if (is_beside(fault, other))
            others[count++] = other;
    }
    return others;
}

bool injector_is_free(injector_t *self, const active_fault_t *fault)
{
    AUTO_FREE active_fault_t **others = others_of(self, fault);
    size_t i = 0;
    while (others[i] && !others[i]->job)
        i++;
    return !others[i];
}

void injector_on_fault_idle(injector_t *self, const active_fault_t *fault)
{
    AUTO_FREE active_fault_t **others = others_of(self, fault);
    for (size_t i = 0; others[i]; i++)
        active_fault_go_on(others[i]);
}

bool injector_is_covered(injector_t *self, const active_fault_t *fault)
{
    AUTO_FREE active_fault_t **others = others_of(self, fault);
    size_t i = 0;
    while (others[i]
           && !(others[i]->state == FAULT_ACTIVE && edit_covers(others[i]->record, fault->record)))
        i++;
    return others[i] != NULL;
}

void injector_on_fault_recovered(injector_t *self, const active_fault_t *fault)
{
    AUTO_FREE active_fault_t **others = others_of(self, fault);
    for (size_t i = 0; others[i]; i++) {
        err_t err = {0};
        if (edit_inherit(others[i]->record, fault->record, &err) < 0)
            log_error("fault.unrecorded", "fault=%s reason=\"%s\"", others[i]->record->fault_id,
                err.text);
    }
}

/* ---- life cycle --------------------------------------------------------------------------- */

static void resume(injector_t *self, const char *path)
{
    err_t err = {0};
    record_t *record = record_load(path, &err);
    if (!record || !fault_spec_find(record->fault, &err)) {
        log_error("fault.lost", "file=\"%s\" reason=\"%s\"", path, err.text);
        record_destroy(&record);
        return;
    }
    log_info("fault.resumed", "fault=%s state=%s", record->fault_id, record->state);
    active_fault_resume(add(self, record));
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
