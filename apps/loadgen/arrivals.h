/* arrivals - when requests are meant to be sent, whatever the server does (an open loop). */
#ifndef LOADGEN_ARRIVALS_H
#define LOADGEN_ARRIVALS_H

#include "apps/loadgen/random.h"
#include "base/err.h"

#include <stdint.h>

typedef enum { ARRIVALS_CONSTANT, ARRIVALS_EXPONENTIAL } arrivals_kind_t;

typedef struct arrivals {
    arrivals_kind_t kind;
    double interval_ns; /* on average */
    double next_ns;     /* since the start */
    random_t random;
} arrivals_t;

void arrivals_init(arrivals_t *self, arrivals_kind_t kind, double rate, uint64_t seed);

/* When the next one is due, in nanoseconds since the start. */
int64_t arrivals_due(const arrivals_t *self);

/* Goes on to the one after it. */
void arrivals_advance(arrivals_t *self);

/* "constant" (also "const", "fixed", "norm": what wrk2 calls its even rate) or "exponential" (also
 * "exp"). */
int arrivals_parse(const char *name, arrivals_kind_t *kind_p, err_t *err);

#endif
