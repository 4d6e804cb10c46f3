/* random - a seeded generator: the same seed gives the same load. Not for secrets. */
#ifndef LOADGEN_RANDOM_H
#define LOADGEN_RANDOM_H

#include <stdint.h>

typedef struct random {
    uint64_t state[4];
} random_t;

/* Streams of the same seed with different numbers are independent of each other. */
void random_init(random_t *self, uint64_t seed, uint64_t stream);

uint64_t random_next(random_t *self);

/* From 0 up to, but without, 1. */
double random_real(random_t *self);

/* From low to high, both included. */
int random_between(random_t *self, int low, int high);

#endif
