/* What cAdvisor would say, in its names: github.com/google/cadvisor, docs/storage/prometheus.md. */
#include "services/cluster/env/kubelet/internal.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/quantity.h"

#include <string.h>

enum { CPU_PERIOD_US = 100000 };

static const double ns_per_s = 1e9;

typedef struct sample {
    const pod_container_t *container; /* NULL: of the pod's network */
    const pod_t *pod;
    cgroup_usage_t usage;
    network_usage_t network;
} sample_t;

typedef double(value_fn)(const sample_t *sample);

#define VALUE(name, expression)                                                                    \
    static double name(const sample_t *sample)                                                     \
    {                                                                                              \
        return (double)(expression);                                                               \
    }

VALUE(cpu_usage, sample->usage.cpu_ns / ns_per_s)
VALUE(cpu_user, sample->usage.cpu_user_ns / ns_per_s)
VALUE(cpu_system, sample->usage.cpu_system_ns / ns_per_s)
VALUE(cfs_periods, sample->usage.periods)
VALUE(cfs_throttled_periods, sample->usage.throttled_periods)
VALUE(cfs_throttled, sample->usage.throttled_ns / ns_per_s)
VALUE(load_average, ((void)sample, 0)) /* cAdvisor says 0 unless its load reader is switched on */
VALUE(memory_cache, sample->usage.cache_bytes)
VALUE(memory_usage, sample->usage.memory_bytes)
VALUE(memory_working_set, sample->usage.working_set_bytes)
VALUE(memory_rss, sample->usage.rss_bytes)
VALUE(memory_mapped, sample->usage.mapped_bytes)
VALUE(threads, sample->usage.pids)
VALUE(threads_max, sample ? 512 : 0)
VALUE(cpu_period, sample ? CPU_PERIOD_US : 0)
VALUE(rx_bytes, sample->network.rx_bytes)
VALUE(rx_packets, sample->network.rx_packets)
VALUE(rx_errors, sample->network.rx_errors)
VALUE(rx_dropped, sample->network.rx_dropped)
VALUE(tx_bytes, sample->network.tx_bytes)
VALUE(tx_packets, sample->network.tx_packets)
VALUE(tx_errors, sample->network.tx_errors)
VALUE(tx_dropped, sample->network.tx_dropped)

/* In whole units, as the kernel counts them. */
static int64_t cpu_share(const sample_t *sample, const char *path, int64_t units)
{
    return quantity_millis(object_at(sample->container->spec, path)) * units / 1000;
}

VALUE(cpu_quota, cpu_share(sample, "resources.limits.cpu", CPU_PERIOD_US))
VALUE(cpu_shares, cpu_share(sample, "resources.requests.cpu", 1024))
VALUE(memory_limit, quantity_units(object_at(sample->container->spec, "resources.limits.memory")))

static const struct metric {
    const char *name;
    const char *type;
    value_fn *value;
    bool is_network;
} metrics[] = {
    {"container_cpu_cfs_periods_total", "counter", cfs_periods, false},
    {"container_cpu_cfs_throttled_periods_total", "counter", cfs_throttled_periods, false},
    {"container_cpu_cfs_throttled_seconds_total", "counter", cfs_throttled, false},
    {"container_cpu_load_average_10s", "gauge", load_average, false},
    {"container_cpu_system_seconds_total", "counter", cpu_system, false},
    {"container_cpu_usage_seconds_total", "counter", cpu_usage, false},
    {"container_cpu_user_seconds_total", "counter", cpu_user, false},
    {"container_memory_cache", "gauge", memory_cache, false},
    {"container_memory_mapped_file", "gauge", memory_mapped, false},
    {"container_memory_rss", "gauge", memory_rss, false},
    {"container_memory_usage_bytes", "gauge", memory_usage, false},
    {"container_memory_working_set_bytes", "gauge", memory_working_set, false},
    {"container_network_receive_bytes_total", "counter", rx_bytes, true},
    {"container_network_receive_errors_total", "counter", rx_errors, true},
    {"container_network_receive_packets_dropped_total", "counter", rx_dropped, true},
    {"container_network_receive_packets_total", "counter", rx_packets, true},
    {"container_network_transmit_bytes_total", "counter", tx_bytes, true},
    {"container_network_transmit_errors_total", "counter", tx_errors, true},
    {"container_network_transmit_packets_dropped_total", "counter", tx_dropped, true},
    {"container_network_transmit_packets_total", "counter", tx_packets, true},
    {"container_spec_cpu_period", "gauge", cpu_period, false},
    {"container_spec_cpu_quota", "gauge", cpu_quota, false},
    {"container_spec_cpu_shares", "gauge", cpu_shares, false},
    {"container_spec_memory_limit_bytes", "gauge", memory_limit, false},
    {"container_threads", "gauge", threads, false},
    {"container_threads_max", "gauge", threads_max, false},
};

/* ---- samples -----------------------------------------------------------------------------------
 */

typedef struct samples {
    sample_t *items;
    size_t count;
    size_t capacity;
} samples_t;

static sample_t *add_sample(samples_t *samples)
{
    if (samples->count == samples->capacity) {
        samples->capacity = 2 * samples->capacity + 64;
        samples->items =
            mem_check(reallocarray(samples->items, samples->capacity, sizeof(sample_t)));
    }
    sample_t *sample = &samples->items[samples->count++];
    *sample = (sample_t){0};
    return sample;
}

static void sample_pod(samples_t *samples, const pod_t *pod)
{
    if (pod->sandbox) {
        sample_t *sample = add_sample(samples);
        sample->pod = pod;
        sandbox_read_network(pod->sandbox, &sample->network);
    }
    for (size_t i = 0; i < pod->container_count; i++) {
        cgroup_usage_t usage;
        const pod_container_t *container = &pod->containers[i];
        if (!container->process || !container_read_usage(container->process, &usage))
            continue;
        sample_t *sample = add_sample(samples);
        *sample = (sample_t){.container = container, .pod = pod, .usage = usage};
    }
}

static void write_sample(FILE *out, const struct metric *metric, const sample_t *sample)
{
    const pod_t *pod = sample->pod;
    const char *uid = object_uid(pod->object);
    fprintf(out, "%s{container=\"%s\",id=\"/kubepods/pod%s", metric->name,
        sample->container ? sample->container->name : "", uid);
    if (sample->container)
        fprintf(out, "/%s\",image=\"%s", sample->container->name,
            object_string(sample->container->spec, "image"));
    if (metric->is_network)
        fprintf(out, "\",interface=\"eth0");
    fprintf(out, "\",namespace=\"%s\",pod=\"%s\"} %.15g\n", object_namespace(pod->object),
        object_name(pod->object), metric->value(sample));
}

char *metrics_text(kubelet_t *self, const char *node, size_t *size_p)
{
    char *text = NULL;
    samples_t samples = {0};
    for (const pod_t *pod = zhashx_first(self->pods); pod; pod = zhashx_next(self->pods)) {
        if (strcmp(pod_node(pod), node) == 0)
            sample_pod(&samples, pod);
    }
    FILE *out = open_memstream(&text, size_p);
    for (size_t m = 0; m < ARRAY_SIZE(metrics); m++) {
        fprintf(out, "# TYPE %s %s\n", metrics[m].name, metrics[m].type);
        for (size_t i = 0; i < samples.count; i++) {
            if (metrics[m].is_network == !samples.items[i].container)
                write_sample(out, &metrics[m], &samples.items[i]);
        }
    }
    fclose(out);
    free(samples.items);
    return text;
}
