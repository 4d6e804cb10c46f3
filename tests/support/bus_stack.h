/* bus_stack - real programs in folders of their own: the broker, and copies of the running test as
 * whatever role it plays when it is given one as its first argument. */
#ifndef TESTS_SUPPORT_BUS_STACK_H
#define TESTS_SUPPORT_BUS_STACK_H

#include "base/ev.h"
#include "bus/bus.h"
#include "proto/messages.h"
#include "tests/support/test.h"

#include <sys/types.h>

typedef struct bus_stack {
    char folder[64];   /* holds run/ and state/, and is the programs' environment */
    char requests[96]; /* the ipc endpoint */
    char keys[96];
    pid_t broker;
    int port; /* TCP, for requests */
    ev_t *ev; /* of the test itself */
} bus_stack_t;

/* As cmocka setup and teardown. The broker listens on TCP too. */
int bus_stack_set_up(void **state);
int bus_stack_tear_down(void **state);

void bus_stack_start_broker(bus_stack_t *self, const char *listen);
void bus_stack_kill_broker(bus_stack_t *self);

/* Starts this very program as `role`, with up to two more arguments. */
pid_t bus_stack_spawn(const char *role, const char *first, const char *second);

/* Ends a child by a signal and returns its exit status, or -signal. */
int bus_stack_end(pid_t pid, int signal);

/* Runs the loop until *count is at least `wanted`; fails the test after 30 s. */
void bus_stack_await(bus_stack_t *self, const volatile int *count, int wanted);

/* Lets the loop run for so long. */
void bus_stack_run_for(bus_stack_t *self, int64_t span_ms);

/* A bus of the test's own: over ipc, or over TCP with the key of a role. */
bus_t *bus_stack_program(bus_stack_t *self, const char *name);
bus_t *bus_stack_tcp_program(bus_stack_t *self, const char *name, const char *role);

/* The value of one of the broker's metrics. */
double bus_stack_metric(bus_stack_t *self, const char *name);

#endif
