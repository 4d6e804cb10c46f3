/* broker - the one thing that every program connects to.
 *
 * Carries requests to services by name and replies back, and events to whoever subscribed; knows
 * who is alive; enforces deadlines, limits and roles; keeps the last value of state topics. It
 * never reads a body. What travels is written down in docs/decisions/0200-bus-wire.md.
 *
 * A request to a service that nobody offers waits for absent_ms, within its deadline, and then
 * fails with `unavailable`: services may start in any order, and a typing error is told soon. */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include "base/err.h"
#include "base/ev.h"
#include "metrics/metrics.h"

#include <stddef.h>
#include <stdint.h>

typedef struct broker broker_t;

/* Zero or NULL stands for the default. Strings are copied. */
typedef struct broker_config {
    const char *requests; /* endpoints to bind; all three needed: ipc:// or, in tests, inproc:// */
    const char *publish;
    const char *events;
    const char *agents; /* ipc://FOLDER/agents, for local agents; NULL: none are let in */
    const char *agent_events;
    const char *listen; /* tcp://HOST:PORT, in numbers; takes PORT, PORT+1, PORT+2. NULL: no TCP */
    const char *keys;   /* the keys folder; needed for listen, made if it is not there */

    int64_t ping_ms;    /* programs ping so often (1000) */
    int64_t silence_ms; /* who is silent for so long is gone (5000) */
    int64_t absent_ms;  /* a request waits so long for a service to come (2000) */
    int64_t expired_ms; /* a worker may hold an expired request for so long (60000) */

    size_t request_limit;       /* bytes of an envelope (16 MiB) */
    size_t agent_request_limit; /* bytes of an envelope from an agent (1 MiB) */
    size_t event_limit;         /* bytes of an event (1 MiB) */
    size_t service_count_limit; /* requests under way for a service (4096) */
    size_t service_bytes_limit; /* their bytes (64 MiB) */
    size_t worker_limit;        /* requests at one worker at once (1024) */
    size_t caller_limit;        /* requests of one caller under way (4096) */
    size_t agent_caller_limit;  /* ... of an agent (16) */
    size_t cache_count;         /* replies kept for duplicates (1024) */
    size_t cache_bytes;         /* their bytes (8 MiB) */
    int64_t cache_ms;           /* and for so long (60000) */
    size_t topic_limit;         /* topics numbered (65536) */
    int events_queue;           /* events waiting for one subscriber (16384), then it loses some */
} broker_config_t;

/* Binds and serves. On failure *err says which endpoint or key, and why. */
broker_t *broker_new(ev_t *ev, const broker_config_t *config, err_t *err);
void broker_destroy(broker_t **self_p);

/* Its own metrics, for metrics_http. */
metrics_t *broker_metrics(broker_t *self);

/* The TCP port taken for requests, when the one asked for was 0; the other two follow it. */
int broker_port(const broker_t *self);

#endif
