/* census - what an environment and its service hold of the machine, counted from outside.
 *
 * A namespace lives by its processes, by descriptors and by mounts; all three are counted. */
#ifndef TESTS_E2E_CLUSTER_CENSUS_H
#define TESTS_E2E_CLUSTER_CENSUS_H

#include "tests/e2e/cluster/world.h"

enum { CENSUS_COUNTS = 11 };

typedef struct census {
    long counts[CENSUS_COUNTS]; /* each named in census.c */
    long sockets;
    long kib; /* of memory that is a process's own */
} census_t;

/* Of the environment of the last world_create(). */
void census_take_env(world_t *self, census_t *census);
/* Of the cluster service, and of all environments with that prefix together. */
void census_take_service(world_t *self, const char *prefix, census_t *census);

typedef void(census_fn)(world_t *self, census_t *census);

/* Waits until there is no more of anything but memory than before, and hardly more sockets; fails
 * the test after 60 s with what there is. */
void census_await(world_t *self, const census_t *before, census_fn *take);

#endif
