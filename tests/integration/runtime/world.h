/* world - a runtime with its loop, and containers of scripts, in namespaces of the test's own. */
#ifndef TESTS_INTEGRATION_RUNTIME_WORLD_H
#define TESTS_INTEGRATION_RUNTIME_WORLD_H

#include "services/cluster/runtime/runtime.h"
#include "tests/support/test.h"

typedef struct world {
    ev_t *ev;
    runtime_t *runtime;
    container_exit_t exit;
    char output[4096];
    size_t output_size;
    command_result_t result;
    container_config_t config; /* of the containers that are started */
} world_t;

/* PATH, and nothing else. */
extern char *const environment[];

/* As cmocka setup and teardown. */
int set_up(void **state);
int tear_down(void **state);

sandbox_t *sandbox_at(world_t *self, const char *name, const char *address);

/* Keeps how it ended and stops the loop: a container_exit_fn. */
void on_exit_stop(void *arg, const container_exit_t *exit);

/* Starts a script as self->config says otherwise. */
container_t *start(
    world_t *self, sandbox_t *sandbox, const char *name, const char *script, int *fd_p);

/* Runs a script in a container of its own to its end; its output is in self->output. */
void run_script(world_t *self, const char *script);

/* The main() of a test: run in namespaces of its own, with an empty folder at /tmp. */
int world_main(int (*run)(void));

#endif
