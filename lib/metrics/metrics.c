#include "metrics/metrics.h"

#include "base/auto.h"
#include "base/mem.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

typedef enum { COUNTER, GAUGE, HISTOGRAM } metric_kind_t;

struct metric {
    metric_t *next; /* owned by the registry's list */
    metric_kind_t kind;
    char *name;
    char *help;
    char *labels; /* "" if none */
    double value; /* the sum, of a histogram */
    const uint64_t *counter;
    metric_read_fn *read;
    void *read_arg;
    double *bounds;
    uint64_t *buckets; /* one more than bounds */
    size_t bound_count;
};

struct metrics {
    metric_t *first;
    metric_t **end_p;
};

metrics_t *metrics_new(void)
{
    metrics_t *self = xcalloc(1, sizeof(*self));
    self->end_p = &self->first;
    return self;
}

static void metric_free(metric_t *metric)
{
    free(metric->name);
    free(metric->help);
    free(metric->labels);
    free(metric->bounds);
    free(metric->buckets);
    free(metric);
}

void metrics_destroy(metrics_t **self_p)
{
    metrics_t *self = *self_p;
    if (!self)
        return;
    for (metric_t *metric = self->first, *next = NULL; metric; metric = next) {
        next = metric->next;
        metric_free(metric);
    }
    free(self);
    *self_p = NULL;
}

/* Members of a family stay together, as the text format wants. */
static metric_t **place_for(metrics_t *self, const char *name)
{
    metric_t **place = self->end_p;
    for (metric_t *metric = self->first; metric; metric = metric->next) {
        if (strcmp(metric->name, name) == 0)
            place = &metric->next;
    }
    return place;
}

static metric_t *metric_find(const metrics_t *self, const char *name, const char *labels)
{
    metric_t *metric = self->first;
    while (metric && (strcmp(metric->name, name) != 0 || strcmp(metric->labels, labels) != 0))
        metric = metric->next;
    return metric;
}

static metric_t *metric_get(
    metrics_t *self, metric_kind_t kind, const char *name, const char *help, const char *labels)
{
    labels = labels ? labels : "";
    metric_t *metric = metric_find(self, name, labels);
    if (metric) {
        assert(metric->kind == kind);
        return metric;
    }
    metric = xcalloc(1, sizeof(*metric));
    metric->kind = kind;
    metric->name = xstrdup(name);
    metric->help = xstrdup(help);
    metric->labels = xstrdup(labels);
    metric_t **place = place_for(self, name);
    metric->next = *place;
    *place = metric;
    if (!metric->next)
        self->end_p = &metric->next;
    return metric;
}

metric_t *metrics_counter(metrics_t *self, const char *name, const char *help, const char *labels)
{
    return metric_get(self, COUNTER, name, help, labels);
}

metric_t *metrics_gauge(metrics_t *self, const char *name, const char *help, const char *labels)
{
    return metric_get(self, GAUGE, name, help, labels);
}

metric_t *metrics_histogram(metrics_t *self, const char *name, const char *help, const char *labels,
    const double *bounds, size_t bound_count)
{
    metric_t *metric = metric_get(self, HISTOGRAM, name, help, labels);
    if (!metric->buckets) {
        metric->bound_count = bound_count;
        metric->bounds = xcalloc(bound_count + 1, sizeof(*metric->bounds));
        memcpy(metric->bounds, bounds, bound_count * sizeof(*bounds));
        metric->buckets = xcalloc(bound_count + 1, sizeof(*metric->buckets));
    }
    return metric;
}

void metrics_counter_at(
    metrics_t *self, const char *name, const char *help, const char *labels, const uint64_t *value)
{
    metric_get(self, COUNTER, name, help, labels)->counter = value;
}

void metrics_gauge_from(
    metrics_t *self, const char *name, const char *help, metric_read_fn *read, void *arg)
{
    metric_t *metric = metric_get(self, GAUGE, name, help, NULL);
    metric->read = read;
    metric->read_arg = arg;
}

void metric_add(metric_t *self, double amount)
{
    assert(self->kind != HISTOGRAM && (amount >= 0 || self->kind == GAUGE));
    self->value += amount;
}

void metric_set(metric_t *self, double value)
{
    assert(self->kind == GAUGE);
    self->value = value;
}

void metric_observe(metric_t *self, double value)
{
    assert(self->kind == HISTOGRAM);
    size_t i = 0;
    while (i < self->bound_count && value > self->bounds[i])
        i++;
    self->buckets[i]++;
    self->value += value;
}

double metric_value(const metric_t *self)
{
    if (self->counter)
        return (double)*self->counter;
    return self->read ? self->read(self->read_arg) : self->value;
}

/* ---- text ---------------------------------------------------------------------------------- */

static void put_escaped(FILE *out, const char *text, bool escape_quotes)
{
    for (; *text; text++) {
        if (*text == '\\')
            fputs("\\\\", out);
        else if (*text == '\n')
            fputs("\\n", out);
        else if (*text == '"' && escape_quotes)
            fputs("\\\"", out);
        else
            fputc(*text, out);
    }
}

char *metrics_label(const char *name, const char *value)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = mem_check(open_memstream(&text, &size));
    fprintf(out, "%s=\"", name);
    put_escaped(out, value, true);
    fputc('"', out);
    fclose(out);
    return text;
}

static void put_number(FILE *out, double value)
{
    if (isnan(value))
        fputs("NaN\n", out);
    else if (isinf(value))
        fputs(value > 0 ? "+Inf\n" : "-Inf\n", out);
    else
        fprintf(out, "%.15g\n", value);
}

static void put_bucket(FILE *out, const metric_t *metric, const char *bound, uint64_t count)
{
    fprintf(out, "%s_bucket{%s%sle=\"%s\"} %llu\n", metric->name, metric->labels,
        *metric->labels ? "," : "", bound, (unsigned long long)count);
}

static void put_name(FILE *out, const metric_t *metric, const char *suffix)
{
    if (*metric->labels)
        fprintf(out, "%s%s{%s} ", metric->name, suffix, metric->labels);
    else
        fprintf(out, "%s%s ", metric->name, suffix);
}

static void put_histogram(FILE *out, const metric_t *metric)
{
    uint64_t total = 0;
    for (size_t i = 0; i < metric->bound_count; i++) {
        char bound[32];
        snprintf(bound, sizeof(bound), "%.15g", metric->bounds[i]);
        total += metric->buckets[i];
        put_bucket(out, metric, bound, total);
    }
    total += metric->buckets[metric->bound_count];
    put_bucket(out, metric, "+Inf", total);
    put_name(out, metric, "_sum");
    put_number(out, metric->value);
    put_name(out, metric, "_count");
    fprintf(out, "%llu\n", (unsigned long long)total);
}

static void put_head(FILE *out, const metric_t *metric)
{
    static const char *const kinds[] = {
        [COUNTER] = "counter", [GAUGE] = "gauge", [HISTOGRAM] = "histogram"};
    fprintf(out, "# HELP %s ", metric->name);
    put_escaped(out, metric->help, false);
    fprintf(out, "\n# TYPE %s %s\n", metric->name, kinds[metric->kind]);
}

static void put_metric(FILE *out, const metric_t *metric)
{
    if (metric->kind == HISTOGRAM) {
        put_histogram(out, metric);
        return;
    }
    put_name(out, metric, "");
    put_number(out, metric_value(metric));
}

char *metrics_text(metrics_t *self)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = mem_check(open_memstream(&text, &size));
    const char *family = "";
    for (const metric_t *metric = self->first; metric; metric = metric->next) {
        if (strcmp(metric->name, family) != 0)
            put_head(out, metric);
        family = metric->name;
        put_metric(out, metric);
    }
    fclose(out);
    return text;
}
