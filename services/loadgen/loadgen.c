#include "services/loadgen/loadgen.h"

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "kube/kube.h"
#include "services/loadgen/load.h"
#include "services/loadgen/recovery.h"

#include <math.h>

enum { OVER_LIMIT = 256, LOAD_LIMIT = 1024, RATE_LIMIT = 100000, CONNECTION_LIMIT = 4096 };

struct loadgen {
    load_context_t context;
    zhashx_t *loads; /* owns load_t, by id; those that are over, too */
    zlistx_t *order; /* of load_t *, borrowed, oldest first */
    recovery_t *recovery;
    metric_t *started;
};

/* ---- the loads ------------------------------------------------------------------------------ */

/* Those that are over are kept for whoever asks for their sum, but not all for ever. */
static void forget_oldest(loadgen_t *self)
{
    load_t *load = zlistx_first(self->order);
    while (load && zlistx_size(self->order) > OVER_LIMIT) {
        if (load_is_over(load)) {
            zlistx_delete(self->order, zlistx_cursor(self->order));
            zhashx_delete(self->loads, load_id(load));
        }
        load = zlistx_next(self->order);
    }
}

static void add(loadgen_t *self, load_t *load)
{
    zhashx_insert(self->loads, load_id(load), load);
    zlistx_add_end(self->order, load);
    forget_oldest(self);
}

static double count_running(void *arg)
{
    loadgen_t *self = arg;
    double count = 0;
    for (load_t *load = zlistx_first(self->order); load; load = zlistx_next(self->order))
        count += !load_is_over(load);
    return count;
}

static void on_found(void *arg, const char *id)
{
    loadgen_t *self = arg;
    load_t *load = zhashx_lookup(self->loads, id) ? NULL : load_resume(&self->context, id);
    if (!load)
        return;
    log_info("load.found", "load=%s", id);
    add(self, load);
}

/* ---- requests ------------------------------------------------------------------------------- */

static int check(const load_start_t *plan, err_t *err)
{
    if (!isfinite(plan->rate) || plan->rate <= 0 || plan->rate > RATE_LIMIT)
        return err_set(
            err, ERR_INVALID, "rate %g is not above 0 and at most %d", plan->rate, RATE_LIMIT);
    if (plan->connections < 0 || plan->connections > CONNECTION_LIMIT)
        return err_set(err, ERR_INVALID, "connections %lld is not 0 to %d",
            (long long)plan->connections, CONNECTION_LIMIT);
    if (plan->duration_ms < 0)
        return err_set(
            err, ERR_INVALID, "duration_ms %lld is negative", (long long)plan->duration_ms);
    if (strncmp(plan->url, "http://", 7) != 0)
        return err_set(err, ERR_INVALID, "url '%.100s' does not begin with http://", plan->url);
    if (!*plan->env || strchr(plan->env, '/'))
        return err_set(err, ERR_INVALID, "'%.60s' is no environment", plan->env);
    return 0;
}

static void on_start(void *arg, bus_request_t *request, const void *message)
{
    loadgen_t *self = arg;
    const load_start_t *plan = message;
    err_t err = {0};
    if (check(plan, &err) < 0) {
        bus_fail_err(&request, &err);
        return;
    }
    if (zlistx_size(self->order) >= LOAD_LIMIT) {
        bus_refuse(&request, 1000, "too many loads at once");
        return;
    }
    load_t *load = load_start(&self->context, plan, &request);
    log_info("load.requested", "load=%s url=%s rate=%g", load_id(load), plan->url, plan->rate);
    metric_add(self->started, 1);
    add(self, load);
}

/* A load that we do not know may be one of an earlier instance. */
static void on_stop(void *arg, bus_request_t *request, const void *message)
{
    loadgen_t *self = arg;
    const load_stop_t *stop = message;
    load_t *load = zhashx_lookup(self->loads, stop->load);
    if (!load) {
        load = load_resume(&self->context, stop->load);
        if (!load) {
            bus_fail(&request, ERR_NOT_FOUND, "there is no load '%.100s'", stop->load);
            return;
        }
        add(self, load);
    }
    load_stop(load, &request);
}

/* ---- life cycle ----------------------------------------------------------------------------- */

loadgen_t *loadgen_new(ev_t *ev, bus_t *bus, metrics_t *metrics)
{
    static const bus_handler_t handlers[] = {
        {&load_start_type, on_start}, {&load_stop_type, on_stop}};
    loadgen_t *self = xcalloc(1, sizeof(*self));
    self->context = (load_context_t){.ev = ev, .bus = bus};
    self->loads = zhashx_new();
    zhashx_set_destructor(self->loads, (zhashx_destructor_fn *)load_destroy);
    self->order = zlistx_new();
    self->started =
        metrics_counter(metrics, "aiopslab_loadgen_loads_total", "Loads that were asked for", NULL);
    metrics_gauge_from(
        metrics, "aiopslab_loadgen_loads_running", "Loads that are not over", count_running, self);
    bus_serve(bus, "loadgen", handlers, ARRAY_SIZE(handlers), self);
    self->recovery = recovery_new(ev, bus, on_found, self);
    return self;
}

void loadgen_destroy(loadgen_t **self_p)
{
    loadgen_t *self = *self_p;
    if (!self)
        return;
    recovery_destroy(&self->recovery);
    zlistx_destroy(&self->order);
    zhashx_destroy(&self->loads);
    free(self);
    *self_p = NULL;
}
