/* shell - the real kubectl against a server of our own. */
#ifndef TESTS_INTEGRATION_ENV_SHELL_H
#define TESTS_INTEGRATION_ENV_SHELL_H

#include "tests/integration/env/server.h"

#include "tests/support/test.h"

enum { OUTPUT_SIZE = 64 << 10 };

typedef struct shell {
    server_t *server;
    char folder[32];
    char output[OUTPUT_SIZE]; /* of the last command */
    int exit_status;
} shell_t;

/* cmocka's setup and teardown; a test is skipped where there is no kubectl. */
int shell_setup(void **state);
int shell_teardown(void **state);

/* A file in the folder in which commands run. */
void shell_write(const shell_t *self, const char *name, const char *text);
/* Runs kubectl; what it says on both streams is in self->output, with runs of blanks as one. */
void shell_kubectl(shell_t *self, const char *arguments);
/* The same, and wanted must be a part of what it says. */
void shell_expect(shell_t *self, const char *arguments, const char *wanted);

#endif
