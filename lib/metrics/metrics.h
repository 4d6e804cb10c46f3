/* metrics - counters, gauges and histograms that describe themselves, as Prometheus text.
 *
 *     AUTO(metrics_destroy) metrics_t *metrics = metrics_new();
 *     metric_t *steps = metrics_counter(metrics, "aiopslab_steps_total", "Agent steps taken",
 * NULL); metric_add(steps, 1);
 *
 * A registry belongs to one thread. A metric lives as long as its registry. Asking again for the
 * same name and labels yields the same metric. */
#ifndef METRICS_METRICS_H
#define METRICS_METRICS_H

#include <stddef.h>
#include <stdint.h>

typedef struct metrics metrics_t;
typedef struct metric metric_t;
typedef double(metric_read_fn)(void *arg);

metrics_t *metrics_new(void);
void metrics_destroy(metrics_t **self_p);

/* labels is what stands between the braces, such as `service="injector"`, or NULL; see
 * metrics_labels(). name and help are copied. */
metric_t *metrics_counter(metrics_t *self, const char *name, const char *help, const char *labels);
metric_t *metrics_gauge(metrics_t *self, const char *name, const char *help, const char *labels);

/* bounds are the upper bounds of the buckets, rising; the last, infinite one is added. They are
 * copied. */
metric_t *metrics_histogram(metrics_t *self, const char *name, const char *help, const char *labels,
    const double *bounds, size_t bound_count);

/* A counter kept elsewhere: *value is read when the text is written. For hot paths. */
void metrics_counter_at(
    metrics_t *self, const char *name, const char *help, const char *labels, const uint64_t *value);

/* A gauge that is asked for when the text is written. */
void metrics_gauge_from(
    metrics_t *self, const char *name, const char *help, metric_read_fn *read, void *arg);

void metric_add(metric_t *self, double amount);
void metric_set(metric_t *self, double value);
void metric_observe(metric_t *self, double value);
double metric_value(const metric_t *self);

/* Formats one `name="value"`, escaped, into new memory; join several with a comma. */
char *metrics_label(const char *name, const char *value);

/* Prometheus text format 0.0.4, in new memory, families in order of registration. */
char *metrics_text(metrics_t *self);

#endif
