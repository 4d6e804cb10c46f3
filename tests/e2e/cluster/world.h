/* world - a broker, a cluster service and environments, all of them real processes.
 *
 * The programs' data folder is data/ beside this file. */
#ifndef TESTS_E2E_CLUSTER_WORLD_H
#define TESTS_E2E_CLUSTER_WORLD_H

#include "kube/kube.h"
#include "tests/support/bus_stack.h"

typedef struct world {
    bus_stack_t *stack;
    pid_t cluster;
    bus_t *bus;
    char *env;       /* of the last world_create() */
    char *namespace; /* of its application */
    json_t *features;
    json_t *phases;
    kube_t *kube;
    char *kubeconfig;          /* a file */
    env_exec_result_t *result; /* of the last world_exec() */
    err_t err;                 /* of the last call that failed */
} world_t;

/* The main() of a test: plays the cluster service when started for that, and gives up root if
 * "as-user" is the first argument. run is the test's. */
int world_main(int argc, char **argv, int (*run)(void));

/* As cmocka setup and teardown: the programs, and one environment with the application shop. */
int world_set_up(void **state);
int world_tear_down(void **state);
/* Without the environment. */
int world_set_up_empty(void **state);

void world_start_cluster(world_t *self);

/* 0, or the negative code, with the reason in err. */
int world_create(world_t *self, const char *id, const char *app);
void world_delete(world_t *self);

/* What a command in the agent's sandbox gave; borrowed until the next. */
const env_exec_result_t *world_exec(world_t *self, const char *command, int64_t timeout_ms);

/* The process of the environment, as this test numbers it. */
pid_t world_env_pid(const world_t *self);

/* Waits until the value at a path ("status.containerStatuses.0.restartCount") of an object is the
 * text (or its JSON); fails the test after 60 s. */
void world_await(
    world_t *self, const char *kind, const char *name, const char *path, const char *value);
/* Until it is gone. */
void world_await_gone(world_t *self, const char *kind, const char *name);

/* The value there now, as text; for free(). */
char *world_value(world_t *self, const char *kind, const char *name, const char *path);

/* Creates an object, given as JSON with ' for ", in the application's namespace. */
void world_apply(world_t *self, const char *json);

/* A pod of one container of shop/shell:1 that runs a script; more is further fields of the
 * container ("'env': […],") and of the pod's spec, or "". */
void world_run(world_t *self, const char *name, const char *script, const char *container_more,
    const char *spec_more);

/* A pod's log; previous: of the run before. For free(). */
char *world_log(world_t *self, const char *pod, bool is_previous);

/* Until the log of a running pod holds the part. */
void world_await_log(world_t *self, const char *pod, const char *part);

/* What a pod answers to a GET, by the API server; for free(). */
char *world_ask(world_t *self, const char *pod, int port, const char *path);

/* What kubectl prints, both streams, for free(); *status_p, if not NULL, is how it ended. */
char *world_kubectl(world_t *self, const char *arguments, int *status_p);

void expect_in(const char *text, const char *part);

#endif
