/* telemetry - metrics, logs, traces and events of every environment.
 *
 * Watches env/<id>/state on the bus; from the creation of an environment to its end it collects
 * metrics once a second (published on env/<id>/metrics and kept in bounded memory), passes on
 * Kubernetes events (env/<id>/events), and answers logs.get, metrics.export and traces.export. It
 * has no memory of its own: after a restart it finds the environments by their last states, or by
 * being asked about them. */
#ifndef TELEMETRY_TELEMETRY_H
#define TELEMETRY_TELEMETRY_H

#include "bus/bus.h"
#include "metrics/metrics.h"

typedef struct telemetry telemetry_t;

typedef struct telemetry_config {
    ev_t *ev; /* borrowed, as the next two */
    bus_t *bus;
    metrics_t *metrics;
    int64_t window_ms;   /* how far back metrics are kept; 0: 30 minutes */
    size_t memory_limit; /* bytes of metrics of one environment; 0: 32 MiB */
} telemetry_config_t;

telemetry_t *telemetry_new(const telemetry_config_t *config);
void telemetry_destroy(telemetry_t **self_p);

#endif
