/* A tick's targets are scraped a few at a time, over connections that are kept. A target that does
 * not answer costs its place for TIMEOUT_MS; the next tick waits until this one is through. */
#include "services/telemetry/collector.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/telemetry/exposition.h"

#include <math.h>

enum { TICK_MS = 1000, TIMEOUT_MS = 900, AT_ONCE = 4, LABEL_SIZE = 256 };

/* The original's list of metrics, with the two names that a missing comma made one there. */
static const char *const container_metrics[] = {
    "container_cpu_cfs_periods_total",
    "container_cpu_cfs_throttled_periods_total",
    "container_cpu_cfs_throttled_seconds_total",
    "container_cpu_load_average_10s",
    "container_cpu_system_seconds_total",
    "container_cpu_usage_seconds_total",
    "container_cpu_user_seconds_total",
    "container_memory_cache",
    "container_memory_mapped_file",
    "container_memory_rss",
    "container_memory_usage_bytes",
    "container_memory_working_set_bytes",
    "container_network_receive_bytes_total",
    "container_network_receive_errors_total",
    "container_network_receive_packets_dropped_total",
    "container_network_receive_packets_total",
    "container_network_transmit_bytes_total",
    "container_network_transmit_errors_total",
    "container_network_transmit_packets_dropped_total",
    "container_network_transmit_packets_total",
    "container_spec_cpu_period",
    "container_spec_cpu_quota",
    "container_spec_cpu_shares",
    "container_spec_memory_limit_bytes",
    "container_threads",
    "container_threads_max",
};

typedef struct target {
    collector_t *collector; /* borrowed */
    char *node;
    char *namespace; /* NULL: the node itself */
    char *pod;
    int port;
    char *path;
    int call;
} target_t;

struct collector {
    collector_config_t config;
    int64_t clock_offset_ms; /* from the loop's time to Unix time, fixed: clocks may jump */
    int timer_id;
    zlistx_t *waiting;   /* target_t to be scraped in this tick */
    zlistx_t *under_way; /* target_t */
    int64_t tick_ms;
    json_t *samples;
    collector_counts_t counts;
};

static const char *string_at(const json_t *object, const char *part, const char *key)
{
    const char *text = json_string_value(json_object_get(json_object_get(object, part), key));
    return text ? text : "";
}

static const char *name_of(const json_t *object)
{
    return string_at(object, "metadata", "name");
}

/* ---- samples ------------------------------------------------------------------------------ */

/* One sample on its way into the history. */
typedef struct arrival {
    const target_t *target;
    const sample_t *sample;
    char *name;
    char namespace[LABEL_SIZE];
    char pod[LABEL_SIZE];
} arrival_t;

static bool is_container_metric(const char *name)
{
    size_t low = 0;
    size_t high = ARRAY_SIZE(container_metrics);
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(container_metrics[middle], name);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* Buckets are many and say little row by row; sums and counts are kept. */
static bool is_bucket(const char *name)
{
    static const char suffix[] = "_bucket";
    size_t length = strlen(name);
    return length >= sizeof(suffix) && strcmp(name + length - sizeof(suffix) + 1, suffix) == 0;
}

/* ".route=/hotels.status=200" */
static char *detail_of(const sample_t *sample)
{
    char name[LABEL_SIZE];
    char value[LABEL_SIZE];
    size_t at = 0;
    char *detail = xstrdup("");
    while (exposition_next_label(
        sample->labels, sample->labels_length, &at, name, sizeof(name), value, sizeof(value))) {
        char *longer = xasprintf("%s.%s=%s", detail, name, value);
        free(detail);
        detail = longer;
    }
    return detail;
}

static bool describe(void *arg, history_series_t *series)
{
    const arrival_t *self = arg;
    const sample_t *sample = self->sample;
    char interface[LABEL_SIZE];
    bool has_interface = exposition_label(
        sample->labels, sample->labels_length, "interface", interface, sizeof(interface));
    series->kind = self->target->namespace ? HISTORY_APP : HISTORY_CONTAINER;
    series->name = xstrdup(self->name);
    series->namespace = xstrdup(self->namespace);
    series->owner = xasprintf("%s.%s", self->target->node, self->pod);
    series->detail = self->target->namespace ? detail_of(sample)
                     : has_interface         ? xasprintf(".%s", interface)
                                             : xstrdup("");
    return true;
}

static void add_labels(json_t *labels, const sample_t *sample)
{
    char name[LABEL_SIZE];
    char value[LABEL_SIZE];
    size_t at = 0;
    while (exposition_next_label(
        sample->labels, sample->labels_length, &at, name, sizeof(name), value, sizeof(value))) {
        if (strcmp(name, "id") != 0 && strcmp(name, "image") != 0)
            json_object_set_new(labels, name, json_string(value));
    }
}

static void tell(collector_t *self, const arrival_t *arrival)
{
    json_t *labels = json_object();
    add_labels(labels, arrival->sample);
    json_object_set_new(labels, "instance", json_string(arrival->target->node));
    json_object_set_new(labels, "namespace", json_string(arrival->namespace));
    json_object_set_new(labels, "pod", json_string(arrival->pod));
    json_array_append_new(
        self->samples, json_pack("[s, o, f]", arrival->name, labels, arrival->sample->value));
}

/* Fills in whose sample it is. Returns whether it is one we keep. */
static bool place(arrival_t *self)
{
    const sample_t *sample = self->sample;
    if (self->target->namespace) {
        (void)snprintf(self->namespace, LABEL_SIZE, "%s", self->target->namespace);
        (void)snprintf(self->pod, LABEL_SIZE, "%s", self->target->pod);
        return !is_bucket(self->name);
    }
    return is_container_metric(self->name)
           && exposition_label(
               sample->labels, sample->labels_length, "namespace", self->namespace, LABEL_SIZE)
           && exposition_label(sample->labels, sample->labels_length, "pod", self->pod, LABEL_SIZE)
           && *self->pod;
}

static void take_sample(collector_t *self, const target_t *target, const sample_t *sample)
{
    AUTO_FREE char *name = xstrndup(sample->name, sample->name_length);
    arrival_t arrival = {.target = target, .sample = sample, .name = name};
    if (!place(&arrival))
        return;
    AUTO_FREE char *key = xasprintf("%s %s %s{%.*s", target->node, target->pod ? target->pod : "",
        name, (int)sample->labels_length, sample->labels);
    history_put(self->config.history, key, sample->value, describe, &arrival);
    if (isfinite(sample->value))
        tell(self, &arrival);
}

/* ---- scraping ----------------------------------------------------------------------------- */

static void target_destroy(void **item_p)
{
    target_t *self = *item_p;
    kube_cancel(self->collector->config.kube, self->call);
    free(self->node);
    free(self->namespace);
    free(self->pod);
    free(self->path);
    free(self);
    *item_p = NULL;
}

static void scrape_next(collector_t *self);

static void on_scraped(void *arg, const kube_answer_t *answer)
{
    target_t *target = arg;
    collector_t *self = target->collector;
    target->call = 0;
    self->counts.scrapes++;
    self->counts.failures += answer->err != NULL;
    exposition_t exposition;
    sample_t sample;
    exposition_init(&exposition, answer->text, answer->err ? 0 : answer->size);
    while (exposition_next(&exposition, &sample))
        take_sample(self, target, &sample);
    zlistx_delete(self->under_way, zlistx_find(self->under_way, target));
    scrape_next(self);
}

static void end_tick(collector_t *self)
{
    json_auto_t *samples = self->samples;
    self->samples = NULL;
    self->config.on_samples(self->config.arg, self->tick_ms, samples);
}

static void scrape(collector_t *self, target_t *target)
{
    kube_request_t *request = target->namespace ? kube_pod_proxy(
                                  target->namespace, target->pod, target->port, target->path)
                                                : kube_node_proxy(target->node, target->path);
    zlistx_add_end(self->under_way, target);
    target->call =
        kube_send(self->config.kube, kube_within(request, TIMEOUT_MS), on_scraped, target);
}

static void scrape_next(collector_t *self)
{
    while (zlistx_size(self->waiting) && zlistx_size(self->under_way) < AT_ONCE)
        scrape(self, zlistx_detach(self->waiting, NULL));
    if (!zlistx_size(self->under_way) && self->samples)
        end_tick(self);
}

/* ---- targets ------------------------------------------------------------------------------ */

static void add_node(collector_t *self, const json_t *node)
{
    target_t *target = xcalloc(1, sizeof(*target));
    target->collector = self;
    target->node = xstrdup(name_of(node));
    target->path = xstrdup("/metrics/cadvisor");
    zlistx_add_end(self->waiting, target);
}

static const char *annotation(const json_t *pod, const char *key)
{
    const json_t *annotations = json_object_get(json_object_get(pod, "metadata"), "annotations");
    const char *text = json_string_value(json_object_get(annotations, key));
    return text ? text : "";
}

static void add_pod(collector_t *self, const json_t *pod)
{
    int port = (int)strtol(annotation(pod, "prometheus.io/port"), NULL, 10);
    const char *path = annotation(pod, "prometheus.io/path");
    if (strcmp(annotation(pod, "prometheus.io/scrape"), "true") != 0 || port <= 0
        || strcmp(string_at(pod, "status", "phase"), "Running") != 0
        || !*string_at(pod, "status", "podIP"))
        return;
    target_t *target = xcalloc(1, sizeof(*target));
    target->collector = self;
    target->node = xstrdup(string_at(pod, "spec", "nodeName"));
    target->namespace = xstrdup(string_at(pod, "metadata", "namespace"));
    target->pod = xstrdup(name_of(pod));
    target->port = port;
    target->path = xstrdup(*path == '/' ? path : "/metrics");
    zlistx_add_end(self->waiting, target);
}

static void begin_tick(collector_t *self)
{
    const char *key = NULL;
    json_t *object = NULL;
    self->tick_ms = ev_now(self->config.ev) + self->clock_offset_ms;
    self->samples = json_array();
    history_tick(self->config.history, self->tick_ms);
    json_object_foreach((json_t *)kube_watch_objects(self->config.nodes), key, object)
    {
        add_node(self, object);
    }
    json_object_foreach((json_t *)kube_watch_objects(self->config.pods), key, object)
    {
        add_pod(self, object);
    }
    scrape_next(self);
}

static void on_tick(void *arg)
{
    collector_t *self = arg;
    self->timer_id = ev_after(self->config.ev, TICK_MS, on_tick, self);
    if (self->samples)
        self->counts.late++;
    else
        begin_tick(self);
}

/* ---- life cycle --------------------------------------------------------------------------- */

const collector_counts_t *collector_counts(const collector_t *self)
{
    return &self->counts;
}

collector_t *collector_new(const collector_config_t *config)
{
    collector_t *self = xcalloc(1, sizeof(*self));
    self->config = *config;
    self->clock_offset_ms = zclock_time() - ev_now(config->ev);
    self->waiting = zlistx_new();
    self->under_way = zlistx_new();
    zlistx_set_destructor(self->waiting, target_destroy);
    zlistx_set_destructor(self->under_way, target_destroy);
    self->timer_id = ev_after(config->ev, 0, on_tick, self);
    return self;
}

void collector_destroy(collector_t **self_p)
{
    collector_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    ev_cancel(self->config.ev, self->timer_id);
    zlistx_destroy(&self->waiting);
    zlistx_destroy(&self->under_way);
    json_decref(self->samples);
    free(self);
}
