/* lab - all our programs as real processes, in folders of their own, and a client of them. */
#ifndef TESTS_E2E_SESSION_LAB_H
#define TESTS_E2E_SESSION_LAB_H

#include "base/ev.h"
#include "bus/bus.h"
#include "proto/messages.h"
#include "tests/support/test.h"

#include <sys/types.h>

enum { LAB_PROGRAMS = 7 };

typedef struct lab {
    char folder[64];
    ev_t *ev;
    bus_t *bus;
    pid_t pids[LAB_PROGRAMS];
} lab_t;

/* As cmocka setup and teardown; *state is a lab_t whose services all answer. */
int lab_set_up(void **state);
int lab_tear_down(void **state);

/* kill -9 of the program of that name, such as "injector", and a new start. */
void lab_kill(lab_t *self, const char *name);
void lab_start(lab_t *self, const char *name);

/* Opens a session; its id, for free(). */
char *lab_open(lab_t *self, const char *problem, int64_t idle_limit_ms);

/* Asks until the session has the state, or one of those of its end; returns "state" or
 * "state: reason", for free(). Fails the test after within_ms. */
char *lab_await(lab_t *self, const char *session, const char *state, int64_t within_ms);

/* The observation, or "code: text", for free(). */
char *lab_act(lab_t *self, const char *session, int64_t step, const char *action);

/* A new reference. */
json_t *lab_result(lab_t *self, const char *session);

/* How many environments there are. */
size_t lab_count_envs(lab_t *self);

#endif
