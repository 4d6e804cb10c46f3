/* stage - the telemetry service between a played cluster service and a played API server. */
#ifndef TESTS_TELEMETRY_STAGE_H
#define TESTS_TELEMETRY_STAGE_H

#include "services/telemetry/telemetry.h"
#include "tests/support/bus_world.h"
#include "tests/support/http_stub.h"

#define ENV  "env-0123abcd"
#define SHOP "test-hotel-reservation"

typedef struct world {
    bus_world_t *bus_world;
    http_stub_t *stub;
    bus_t *cluster;
    bus_t *own; /* the service's */
    bus_t *client;
    metrics_t *metrics;
    telemetry_t *telemetry;
    bool has_server; /* whether env.get tells the address */
    int scrapes;     /* of the node */
    int events;      /* Kubernetes events published */
    int samples;     /* ticks published */
    size_t sample_count;
    int answers;
    err_t err; /* of the last request */
    char *text;
    json_t *files;
} world_t;

/* As cmocka setup and teardown: *state is a world_t with a running telemetry service. */
int set_up(void **state);
int tear_down(void **state);

void start_telemetry(world_t *world);
void stop_telemetry(world_t *world);
void run(world_t *world, int64_t span_ms);

/* Asks telemetry, and waits for the answer. */
void ask(world_t *world, const codec_type_t *type, const void *message);
void ask_for_log(world_t *world, const char *env, const char *service);

/* The environment's state, as the cluster service tells it. */
void publish_state(world_t *world, const char *state);

/* The text of one file of the last answer; "" if it is not there. */
const char *file(const world_t *world, const char *path);

#endif
