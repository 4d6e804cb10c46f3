/* bus_world - a broker and programs around it, in one thread and virtual time. */
#ifndef TESTS_SUPPORT_BUS_WORLD_H
#define TESTS_SUPPORT_BUS_WORLD_H

#include "broker/broker.h"
#include "bus/bus.h"
#include "proto/messages.h"
#include "tests/support/test.h"

typedef struct bus_world {
    ev_t *ev;
    broker_t *broker;
    broker_config_t config;
    char requests[64], publish[64], events[64];
} bus_world_t;

/* A request that must not be done twice: its type is not in the tables of proto/. */
typedef struct echo {
    const char *text;
} echo_t;

extern const codec_type_t echo_type;

/* As cmocka setup and teardown: *state is a bus_world_t with a running broker. */
int bus_world_set_up(void **state);
int bus_world_tear_down(void **state);

/* Ends the broker and starts another at the same place, perhaps with other limits. */
void bus_world_restart_broker(bus_world_t *self);
void bus_world_stop_broker(bus_world_t *self);

/* Waits until sockets that were closed are gone, and their names free. */
void bus_world_settle(void);

/* Another program, connected once the loop has run. */
bus_t *bus_world_program(bus_world_t *self, const char *name, const char *instance);

/* What came back of a request. */
typedef struct outcome {
    int count; /* of callbacks */
    err_code_t code;
    char text[256];
    char echo[64];
    int64_t retry_after_ms;
} outcome_t;

/* Asks target to echo text; idempotently, by broker.last, or not, by the echo type. */
int ask_echo(
    bus_t *bus, const char *target, const char *text, int64_t timeout_ms, outcome_t *outcome);
int ask_idempotent(
    bus_t *bus, const char *target, const char *text, int64_t timeout_ms, outcome_t *outcome);

/* A service that keeps the requests it gets, until told to answer. */
typedef struct worker {
    bus_t *bus;
    bus_request_t *held[64];
    char texts[64][64];
    size_t count;  /* of all requests it ever got */
    bool is_quick; /* answers at once with what it was asked, and its instance */
} worker_t;

worker_t *worker_new(bus_world_t *world, const char *service, const char *instance);
void worker_destroy(worker_t **self_p);

/* Answers the i-th request. */
void worker_answer(worker_t *self, size_t i);

/* A program that speaks the wire protocol by hand, and so can break it, or fall silent. */
zsock_t *raw_new(const bus_world_t *world);

/* Sends a request with that id. */
void raw_ask(zsock_t *self, const char *target, const char *id, const codec_type_t *type,
    const void *message);

/* Registers as an instance of a service; reads the welcome. */
void raw_serve(bus_world_t *world, zsock_t *self, const char *service, const char *instance);

/* The next message that is neither an invitation nor a sign of life, or NULL. */
zmsg_t *raw_receive(zsock_t *self);

/* The type of the envelope in the last frame, in static memory; "nothing" for NULL. Takes it. */
const char *raw_type(zmsg_t *message);

#endif
