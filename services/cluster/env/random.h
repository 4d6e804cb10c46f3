/* random - the names, uids and addresses that a server makes up; the same ones for the same seed.
 */
#ifndef CLUSTER_ENV_RANDOM_H
#define CLUSTER_ENV_RANDOM_H

#include <stddef.h>
#include <stdint.h>

typedef struct random_state {
    uint64_t state;
} random_state_t;

/* Seed 0 takes one from the system. */
void random_init(random_state_t *self, uint64_t seed);

uint64_t random_next(random_state_t *self);

enum { RANDOM_UUID_SIZE = 37, RANDOM_SUFFIX_SIZE = 6 };

/* A version 4 UUID. */
void random_uuid(random_state_t *self, char text[RANDOM_UUID_SIZE]);

/* Five characters of those that Kubernetes ends generated names with. */
void random_suffix(random_state_t *self, char text[RANDOM_SUFFIX_SIZE]);

#endif
