/* worker - sends a mix of requests at a rate over kept-alive connections, and reports. One thread,
 * one epoll.
 *
 * The loop is open: when a request is due and no connection is free, it waits, and its latency
 * counts from when it was due. A connection carries one request at a time. */
#ifndef LOADGEN_WORKER_H
#define LOADGEN_WORKER_H

#include "apps/loadgen/arrivals.h"
#include "apps/loadgen/mix.h"
#include "base/err.h"

#include <stdint.h>

enum { WORKER_CONNECTION_LIMIT = 4096 };

typedef struct worker_config {
    const char *url; /* http://host[:port][/] */
    const mix_t *mix;
    arrivals_kind_t arrivals;
    double rate;         /* requests a second */
    int64_t duration_ms; /* 0: until SIGTERM */
    int connection_count;
    int64_t timeout_ms; /* of a request, from when it is sent */
    uint64_t seed;
} worker_config_t;

/* Runs until the time is over, or SIGTERM or SIGINT, and writes the reports to stdout. Fails if the
 * host is unknown for ten seconds, or the url malformed. */
int worker_run(const worker_config_t *config, err_t *err);

#endif
