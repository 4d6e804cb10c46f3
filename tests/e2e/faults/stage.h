/* stage - one environment with Hotel Reservation, and what tests of faults do with it. */
#ifndef TESTS_E2E_FAULTS_STAGE_H
#define TESTS_E2E_FAULTS_STAGE_H

#include "kube/kube.h"
#include "tests/e2e/session/lab.h"

enum { SYMPTOM_MS = 90000 };

extern const char namespace[];
extern const char env[];
extern lab_t *lab;
extern kube_t *kube;
extern bool has_limits; /* whether limits of memory and processor time are enforced */

/* As cmocka group setup and teardown. */
int stage_set_up(void **state);
int stage_tear_down(void **state);

/* The state of a fault after a request about it; fails the test with its reason if it is not as
 * wanted. */
void expect_state(const codec_type_t *type, const void *message, const char *state);
void expect_alive(const char *id, const char *state);
void expect_recovery(const char *id);

/* JSON with ' for ". */
json_t *parsed(const char *text);

/* A request for a fault with one target; target is borrowed. */
fault_inject_t fault_of(const char *id, const char *fault, char **target, const json_t *parameters);

/* Puts a fault in force; parameters as parsed() takes them. */
void inject(const char *id, const char *fault, const char *target, const char *parameters);

/* An object's specification as text, "" if it is gone. For free(). */
char *spec_of(const char *kind, const char *name);

/* Whether the text of the objects of a kind has a part within the time; one that begins with '!'
 * must not be in there. label: their io.kompose.service, or NULL. */
bool comes(const char *kind, const char *label, const char *text, int64_t within_ms);

#endif
