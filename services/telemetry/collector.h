/* collector - scrapes an environment once a second: the nodes' container metrics, and /metrics of
 * the pods that are annotated prometheus.io/scrape: "true" (with prometheus.io/port and, if it is
 * not /metrics, prometheus.io/path). All by the API server's proxies. */
#ifndef TELEMETRY_COLLECTOR_H
#define TELEMETRY_COLLECTOR_H

#include "base/ev.h"
#include "kube/kube.h"
#include "services/telemetry/history.h"

typedef struct collector collector_t;

typedef struct collector_config {
    ev_t *ev; /* all borrowed */
    kube_t *kube;
    history_t *history;
    const kube_watch_t *pods;
    const kube_watch_t *nodes;
    /* What one tick has brought: array of [name, labels, value], borrowed. */
    void (*on_samples)(void *arg, int64_t time_ms, json_t *samples);
    void *arg;
} collector_config_t;

/* Begins with a scrape at once. */
collector_t *collector_new(const collector_config_t *config);
void collector_destroy(collector_t **self_p);

typedef struct collector_counts {
    uint64_t scrapes, failures, late; /* late: ticks left out, the last one being under way */
} collector_counts_t;

const collector_counts_t *collector_counts(const collector_t *self);

#endif
