/* environment - one environment that is watched, from its creation to its end. */
#ifndef TELEMETRY_ENVIRONMENT_H
#define TELEMETRY_ENVIRONMENT_H

#include "bus/bus.h"
#include "kube/kube.h"
#include "proto/messages.h"
#include "services/telemetry/collector.h"
#include "services/telemetry/demand.h"
#include "services/telemetry/history.h"

typedef struct environment environment_t;

typedef struct environment_config {
    ev_t *ev;   /* borrowed */
    bus_t *bus; /* borrowed */
    int64_t window_ms;
    size_t memory_limit;
    /* The cluster says that there is no such environment: destroy it. */
    void (*on_missing)(void *arg, environment_t *self);
    void *arg;
} environment_config_t;

/* Asks the cluster service for it (on node, or whichever if NULL) until it says where it is. */
environment_t *environment_new(
    const environment_config_t *config, const char *id, const char *node);

/* Demands that are not answered yet fail with the reason. */
void environment_destroy(environment_t **self_p, const char *reason);

const char *environment_id(const environment_t *self);

/* Its state has changed: asks again at once, if it is still asking. */
void environment_poke(environment_t *self);

/* Takes a demand, and carries it out as soon as the environment is known. */
void environment_demand(environment_t *self, demand_t *demand);

/* A demand is answered: the environment frees it. */
void environment_demand_done(environment_t *self, demand_t *demand);

/* Notes what a load generator saw. */
void environment_note_load(environment_t *self, const load_report_t *report);

/* For demands: what is known. */
kube_t *environment_kube(const environment_t *self);
const json_t *environment_pods(const environment_t *self); /* by "namespace/name" */
const history_t *environment_history(const environment_t *self);

/* For the service's metrics. */
uint64_t environment_scrapes(const environment_t *self);
uint64_t environment_failures(const environment_t *self);

#endif
