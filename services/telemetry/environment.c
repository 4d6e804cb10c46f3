#include "services/telemetry/environment.h"

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"

enum { RETRY_MS = 100, RETRY_MAX_MS = 2000, CALL_TIMEOUT_MS = 5000 };

struct environment {
    environment_config_t config;
    char *id;
    char *target; /* the cluster service to ask */
    int call;
    int timer_id;
    int64_t retry_ms;
    kube_t *kube; /* NULL until its address is known */
    kube_watch_t *pods;
    kube_watch_t *nodes;
    kube_watch_t *events;
    bool is_synced; /* pods are known */
    history_t *history;
    collector_t *collector; /* NULL until pods and nodes are known */
    zlistx_t *demands;      /* demand_t, waiting or under way */
    uint64_t dropped;       /* runs of the history, as last told */
};

/* ---- demands ------------------------------------------------------------------------------ */

static void demand_free(void **item_p)
{
    demand_destroy((demand_t **)item_p);
}

/* Starting a demand may answer and free it at once, hence the copy. */
static void start_demands(environment_t *self)
{
    AUTO(zlistx_destroy) zlistx_t *waiting = zlistx_new();
    for (demand_t *demand = zlistx_first(self->demands); demand;
         demand = zlistx_next(self->demands))
        zlistx_add_end(waiting, demand);
    for (demand_t *demand = zlistx_first(waiting); demand; demand = zlistx_next(waiting))
        demand_start(demand, self);
}

void environment_demand(environment_t *self, demand_t *demand)
{
    zlistx_add_end(self->demands, demand);
    if (self->is_synced)
        demand_start(demand, self);
}

void environment_demand_done(environment_t *self, demand_t *demand)
{
    zlistx_delete(self->demands, zlistx_find(self->demands, demand));
}

/* ---- watching ----------------------------------------------------------------------------- */

static void on_samples(void *arg, int64_t time_ms, json_t *samples)
{
    environment_t *self = arg;
    AUTO_FREE char *topic = xasprintf("env/%s/metrics", self->id);
    samples_t message = {.env = self->id, .time = time_ms, .samples = samples};
    (void)bus_publish(
        self->config.bus, topic, &samples_type, &message); /* the bus counts what it drops */
    if (history_dropped(self->history) > self->dropped) {
        log_warn("history.shortened", "env=%s runs=%llu", self->id,
            (unsigned long long)(history_dropped(self->history) - self->dropped));
        self->dropped = history_dropped(self->history);
    }
}

static void start_collector(environment_t *self)
{
    if (!self->collector)
        self->collector = collector_new(&(collector_config_t){.ev = self->config.ev,
            .kube = self->kube,
            .history = self->history,
            .pods = self->pods,
            .nodes = self->nodes,
            .on_samples = on_samples,
            .arg = self});
}

static void on_pod(void *arg, kube_change_t change, json_t *object)
{
    environment_t *self = arg;
    (void)object;
    if (change != KUBE_SYNCED || self->is_synced)
        return;
    self->is_synced = true;
    start_demands(self);
}

static void on_node(void *arg, kube_change_t change, json_t *object)
{
    (void)object;
    if (change == KUBE_SYNCED)
        start_collector(arg);
}

static void on_event(void *arg, kube_change_t change, json_t *object)
{
    environment_t *self = arg;
    if (change != KUBE_ADDED && change != KUBE_MODIFIED)
        return;
    AUTO_FREE char *topic = xasprintf("env/%s/events", self->id);
    kube_event_t message = {.env = self->id, .event = object};
    (void)bus_publish(self->config.bus, topic, &kube_event_type, &message); /* as above */
}

static void attach(environment_t *self, const env_info_t *info)
{
    err_t err = {0};
    kube_config_t config = {.server = info->server, .token = info->token, .ca_pem = info->ca};
    self->kube = kube_new(self->config.ev, &config, &err);
    if (!self->kube) {
        log_error("env.unwatchable", "env=%s reason=\"%s\"", self->id, err.text);
        return;
    }
    log_info("env.attached", "env=%s server=%s", self->id, info->server);
    self->pods = kube_watch(self->kube, KUBE("Pod", NULL, NULL), NULL, NULL, on_pod, self);
    self->nodes = kube_watch(self->kube, KUBE("Node", NULL, NULL), NULL, NULL, on_node, self);
    self->events = kube_watch(self->kube, KUBE("Event", NULL, NULL), NULL, NULL, on_event, self);
}

/* ---- finding ------------------------------------------------------------------------------ */

static void ask(environment_t *self);

static void on_retry(void *arg)
{
    environment_t *self = arg;
    self->timer_id = 0;
    ask(self);
}

static void on_env(void *arg, const bus_reply_t *reply)
{
    environment_t *self = arg;
    self->call = 0;
    if (reply->err && reply->err->code == ERR_NOT_FOUND) {
        self->config.on_missing(self->config.arg, self);
        return;
    }
    const env_info_t *info = reply->err ? NULL : reply->message;
    if (info && info->server && *info->server) {
        attach(self, info);
        return;
    }
    self->timer_id = ev_after(self->config.ev, self->retry_ms, on_retry, self);
    self->retry_ms = self->retry_ms * 2 < RETRY_MAX_MS ? self->retry_ms * 2 : RETRY_MAX_MS;
}

static void ask(environment_t *self)
{
    env_get_t message = {.env = self->id};
    bus_call_t call = {.target = self->target,
        .type = &env_get_type,
        .message = &message,
        .timeout_ms = CALL_TIMEOUT_MS};
    self->call = bus_request(self->config.bus, &call, on_env, self);
}

void environment_poke(environment_t *self)
{
    if (self->kube || self->call)
        return;
    ev_cancel(self->config.ev, self->timer_id);
    self->timer_id = 0;
    self->retry_ms = RETRY_MS;
    ask(self);
}

/* ---- load --------------------------------------------------------------------------------- */

typedef struct figure {
    const environment_t *environment;
    const char *name;
    const char *load;
} figure_t;

static bool describe_load(void *arg, history_series_t *series)
{
    const figure_t *self = arg;
    *series = (history_series_t){.kind = HISTORY_LOAD,
        .name = xstrdup(self->name),
        .namespace = xstrdup(""),
        .owner = xstrdup(self->load),
        .detail = xstrdup("")};
    return true;
}

void environment_note_load(environment_t *self, const load_report_t *report)
{
    const struct {
        const char *name;
        double value;
    } figures[] = {
        {"load_errors", (double)report->errors},
        {"load_max_ms", report->max_ms},
        {"load_ok", (double)report->ok},
        {"load_p50_ms", report->p50_ms},
        {"load_p90_ms", report->p90_ms},
        {"load_p99_ms", report->p99_ms},
        {"load_sent", (double)report->sent},
    };
    for (size_t i = 0; !report->is_final && i < ARRAY_SIZE(figures); i++) {
        figure_t figure = {self, figures[i].name, report->load};
        AUTO_FREE char *key = xasprintf("load %s %s", report->load, figures[i].name);
        history_put(self->history, key, figures[i].value, describe_load, &figure);
    }
}

/* ---- reading ------------------------------------------------------------------------------ */

const char *environment_id(const environment_t *self)
{
    return self->id;
}

kube_t *environment_kube(const environment_t *self)
{
    return self->kube;
}

const json_t *environment_pods(const environment_t *self)
{
    return kube_watch_objects(self->pods);
}

const history_t *environment_history(const environment_t *self)
{
    return self->history;
}

uint64_t environment_scrapes(const environment_t *self)
{
    return self->collector ? collector_counts(self->collector)->scrapes : 0;
}

uint64_t environment_failures(const environment_t *self)
{
    return self->collector ? collector_counts(self->collector)->failures : 0;
}

/* ---- life cycle --------------------------------------------------------------------------- */

environment_t *environment_new(const environment_config_t *config, const char *id, const char *node)
{
    environment_t *self = xcalloc(1, sizeof(*self));
    self->config = *config;
    self->id = xstrdup(id);
    self->target = node && *node ? xasprintf("cluster@%s", node) : xstrdup("cluster");
    self->retry_ms = RETRY_MS;
    self->history = history_new(config->window_ms, config->memory_limit);
    self->demands = zlistx_new();
    zlistx_set_destructor(self->demands, demand_free);
    ask(self);
    return self;
}

static void fail_demands(environment_t *self, const char *reason)
{
    for (demand_t *demand = zlistx_first(self->demands); demand;
         demand = zlistx_next(self->demands))
        demand_fail(demand, self, reason);
}

void environment_destroy(environment_t **self_p, const char *reason)
{
    environment_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    bus_cancel(self->config.bus, self->call);
    ev_cancel(self->config.ev, self->timer_id);
    fail_demands(self, reason);
    zlistx_destroy(&self->demands);
    collector_destroy(&self->collector);
    kube_watch_end(&self->pods);
    kube_watch_end(&self->nodes);
    kube_watch_end(&self->events);
    kube_destroy(&self->kube);
    history_destroy(&self->history);
    free(self->target);
    free(self->id);
    free(self);
}
