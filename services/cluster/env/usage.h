/* usage - what the containers of pods use, from counters that are read when somebody asks.
 *
 * Nothing is sampled while nobody asks: the first answer is the average since the container began,
 * later ones the average since the last answer (of a second at least). */
#ifndef CLUSTER_ENV_USAGE_H
#define CLUSTER_ENV_USAGE_H

#include "base/ev.h"
#include "services/cluster/env/store.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct usage_reading {
    uint64_t cpu_ns; /* since it began */
    uint64_t memory_bytes;
    int64_t age_ms;
} usage_reading_t;

/* The counters of a running container; false if there are none. */
typedef bool(usage_read_fn)(
    void *arg, const json_t *pod, const char *container, usage_reading_t *reading);

typedef struct usage usage_t;

/* store is borrowed. */
usage_t *usage_new(ev_t *ev, store_t *store);
void usage_destroy(usage_t **self_p);

/* Where the counters are read from now on; NULL: nowhere. */
void usage_set_reader(usage_t *self, usage_read_fn *read, void *arg);

typedef struct usage_amount {
    int64_t cpu_nanos; /* billionths of a core */
    int64_t memory_bytes;
    int64_t window_ms;
} usage_amount_t;

/* False if nothing is known of the container. */
bool usage_of_container(
    usage_t *self, const json_t *pod, const char *container, usage_amount_t *amount);

/* The sum over a pod's containers; false unless all are known. */
bool usage_of_pod(usage_t *self, const json_t *pod, usage_amount_t *amount);

#endif
