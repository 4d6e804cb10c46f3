#include "services/telemetry/telemetry.h"

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "proto/messages.h"
#include "services/telemetry/demand.h"
#include "services/telemetry/environment.h"

enum { WINDOW_MS = 30 * 60 * 1000, MEMORY_LIMIT = 32 << 20 };

struct telemetry {
    telemetry_config_t config;
    zhashx_t *environments; /* environment_t by id */
    int subscription;
};

/* ---- environments ------------------------------------------------------------------------- */

static void forget(telemetry_t *self, const char *id, const char *reason)
{
    environment_t *environment = zhashx_lookup(self->environments, id);
    if (!environment)
        return;
    log_info("env.detached", "env=%s reason=\"%s\"", id, reason);
    zhashx_delete(self->environments, id);
    environment_destroy(&environment, reason);
}

static void on_missing(void *arg, environment_t *environment)
{
    AUTO_FREE char *id = xstrdup(environment_id(environment));
    forget(arg, id, "it does not exist");
}

static environment_t *watch(telemetry_t *self, const char *id, const char *node)
{
    environment_t *environment = zhashx_lookup(self->environments, id);
    if (environment)
        return environment;
    environment_config_t config = {.ev = self->config.ev,
        .bus = self->config.bus,
        .window_ms = self->config.window_ms,
        .memory_limit = self->config.memory_limit,
        .on_missing = on_missing,
        .arg = self};
    environment = environment_new(&config, id, node);
    zhashx_insert(self->environments, id, environment);
    return environment;
}

static void on_state(telemetry_t *self, const env_info_t *info)
{
    if (strcmp(info->state, "creating") == 0 || strcmp(info->state, "ready") == 0)
        environment_poke(watch(self, info->env, info->node));
    else
        forget(self, info->env, info->reason ? info->reason : info->state);
}

static void on_load(telemetry_t *self, const load_report_t *report)
{
    environment_t *environment = zhashx_lookup(self->environments, report->env);
    if (environment)
        environment_note_load(environment, report);
}

static void on_event(void *arg, const bus_event_t *event)
{
    if (event->type == &env_info_type)
        on_state(arg, event->message);
    else if (event->type == &load_report_type)
        on_load(arg, event->message);
}

/* ---- requests ----------------------------------------------------------------------------- */

static void demand(telemetry_t *self, const char *env, demand_t *demand)
{
    environment_demand(watch(self, env, NULL), demand);
}

static void on_logs(void *arg, bus_request_t *request, const void *message)
{
    const logs_get_t *get = message;
    demand(arg, get->env, demand_new(DEMAND_LOGS, request, get->namespace, get->service, 0));
}

static void on_metrics(void *arg, bus_request_t *request, const void *message)
{
    const metrics_export_t *get = message;
    demand(arg, get->env,
        demand_new(DEMAND_METRICS, request, get->namespace, NULL, get->duration_min));
}

static void on_traces(void *arg, bus_request_t *request, const void *message)
{
    const traces_export_t *get = message;
    demand(
        arg, get->env, demand_new(DEMAND_TRACES, request, get->namespace, NULL, get->duration_min));
}

static const bus_handler_t handlers[] = {
    {&logs_get_type, on_logs},
    {&metrics_export_type, on_metrics},
    {&traces_export_type, on_traces},
};

/* ---- own metrics -------------------------------------------------------------------------- */

static double sum(telemetry_t *self, uint64_t (*of)(const environment_t *))
{
    uint64_t total = 0;
    for (environment_t *environment = zhashx_first(self->environments); environment;
         environment = zhashx_next(self->environments))
        total += of(environment);
    return (double)total;
}

static uint64_t one(const environment_t *environment)
{
    (void)environment;
    return 1;
}

static uint64_t bytes_of(const environment_t *environment)
{
    return history_bytes(environment_history(environment));
}

static uint64_t dropped_of(const environment_t *environment)
{
    return history_dropped(environment_history(environment));
}

static double count_environments(void *arg)
{
    return sum(arg, one);
}

static double count_scrapes(void *arg)
{
    return sum(arg, environment_scrapes);
}

static double count_failures(void *arg)
{
    return sum(arg, environment_failures);
}

static double count_bytes(void *arg)
{
    return sum(arg, bytes_of);
}

static double count_dropped(void *arg)
{
    return sum(arg, dropped_of);
}

static void offer_metrics(telemetry_t *self)
{
    static const struct {
        const char *name;
        const char *help;
        metric_read_fn *read;
    } gauges[] = {
        {"aiopslab_telemetry_environments", "Environments watched", count_environments},
        {"aiopslab_telemetry_scrapes", "Scrapes of environments present", count_scrapes},
        {"aiopslab_telemetry_scrape_failures", "Scrapes that failed", count_failures},
        {"aiopslab_telemetry_history_bytes", "Memory of metrics kept", count_bytes},
        {"aiopslab_telemetry_history_dropped", "Runs forgotten before their time", count_dropped},
    };
    for (size_t i = 0; self->config.metrics && i < ARRAY_SIZE(gauges); i++)
        metrics_gauge_from(
            self->config.metrics, gauges[i].name, gauges[i].help, gauges[i].read, self);
}

/* ---- life cycle --------------------------------------------------------------------------- */

telemetry_t *telemetry_new(const telemetry_config_t *config)
{
    telemetry_t *self = xcalloc(1, sizeof(*self));
    self->config = *config;
    if (!self->config.window_ms)
        self->config.window_ms = WINDOW_MS;
    if (!self->config.memory_limit)
        self->config.memory_limit = MEMORY_LIMIT;
    self->environments = zhashx_new();
    offer_metrics(self);
    bus_serve(config->bus, "telemetry", handlers, ARRAY_SIZE(handlers), self);
    self->subscription = bus_subscribe(config->bus, "env/", on_event, self);
    return self;
}

void telemetry_destroy(telemetry_t **self_p)
{
    telemetry_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    bus_unsubscribe(self->config.bus, self->subscription);
    for (environment_t *environment = zhashx_first(self->environments); environment;
         environment = zhashx_next(self->environments))
        environment_destroy(&environment, "telemetry is ending");
    zhashx_destroy(&self->environments);
    free(self);
}
