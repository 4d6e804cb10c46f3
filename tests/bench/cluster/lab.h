/* lab - a broker and a cluster service for benchmarks, with Hotel Reservation and the application
 * crowd (crowd/ beside this file: 20 pods of the smallest program). Whatever fails ends the
 * benchmark with a sentence. */
#ifndef BENCH_CLUSTER_LAB_H
#define BENCH_CLUSTER_LAB_H

#include "kube/kube.h"
#include "tests/support/bus_stack.h"

typedef struct lab {
    bus_stack_t *stack;
    bus_t *bus;
    pid_t cluster;
} lab_t;

/* Becomes the cluster service if this process was started for that; first thing in main(). */
void lab_play_cluster(int argc, char **argv);

void lab_start(lab_t *self);
void lab_stop(lab_t *self);

/* Creates env-0 … env-<count - 1>, all asked for at once; app NULL: empty ones. */
void lab_create(lab_t *self, const char *app, int count);
void lab_delete(lab_t *self, int count);

/* A client of env-0, for kube_destroy(). */
kube_t *lab_kube(lab_t *self);

/* What the processes of all environments take together, in MiB: proportional set sizes. */
double lab_env_memory(const lab_t *self);

double lab_now_ms(void);

#endif
