/* demand - a request for an environment's logs, metrics or traces, until it is answered. */
#ifndef TELEMETRY_DEMAND_H
#define TELEMETRY_DEMAND_H

#include "bus/bus.h"
#include "kube/kube.h"
#include "services/telemetry/trace_table.h"

#include <stdbool.h>

struct environment;

typedef enum { DEMAND_LOGS, DEMAND_METRICS, DEMAND_TRACES } demand_kind_t;

/* Plain data: demand.c and demand_traces.c share it. */
typedef struct demand {
    demand_kind_t kind;
    bus_request_t *request; /* NULL once answered */
    char *namespace;
    char *service; /* of DEMAND_LOGS */
    int64_t minutes;
    struct environment *environment; /* borrowed; NULL until started */
    int call;                        /* the one call under way, or 0 */
    trace_table_t *table;            /* of DEMAND_TRACES, as the rest */
    json_t *services;                /* names to be asked for */
    size_t next_service;
} demand_t;

/* Takes the request. service may be NULL. */
demand_t *demand_new(demand_kind_t kind, bus_request_t *request, const char *namespace,
    const char *service, int64_t minutes);
void demand_destroy(demand_t **self_p);

/* Carries it out: answers now or later, and then tells environment_demand_done(). */
void demand_start(demand_t *self, struct environment *environment);

/* Answers that the environment is not there. Does not free it. */
void demand_fail(demand_t *self, struct environment *environment, const char *reason);

/* ---- for demand_traces.c ------------------------------------------------------------------ */

void demand_traces_start(demand_t *self);

/* Answer and end the demand. files and text are taken. */
void demand_answer_files(demand_t *self, json_t *files);
void demand_answer_error(demand_t *self, const err_t *err);

#endif
