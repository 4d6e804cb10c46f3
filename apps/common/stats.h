/* stats - a service's Prometheus metrics, for several threads: lib/metrics behind a lock, with what
 * every process tells about itself. */
#ifndef APPS_COMMON_STATS_H
#define APPS_COMMON_STATS_H

#include "metrics/metrics.h"

typedef struct stats stats_t;

stats_t *stats_new(void);
void stats_destroy(stats_t **self_p);

/* Adds one to the counter of that name and label values; labels as in metrics_counter(). */
void stats_count(stats_t *self, const char *name, const char *help, const char *labels);

/* The same by more than one. */
void stats_add(
    stats_t *self, const char *name, const char *help, const char *labels, double amount);

/* Sets a gauge. */
void stats_set(stats_t *self, const char *name, const char *help, double value);

/* Notes a duration in a histogram from 0.5 ms to 10 s. */
void stats_time(
    stats_t *self, const char *name, const char *help, const char *labels, double seconds);

/* Prometheus text, in new memory. */
char *stats_text(stats_t *self);

#endif
