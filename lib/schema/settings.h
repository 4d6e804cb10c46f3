/* settings - what a program would be told by options, from a YAML file.
 *
 * A file is a mapping of programs, and what a program is given is a mapping of its options by
 * their long names, so that one file is for all of them, and each reads its own part:
 *
 *     orchestrator:
 *       results: /srv/results
 *     telemetry:
 *       window: 60
 *
 * Mistakes are told with path, line, column, and what was expected. */
#ifndef SCHEMA_SETTINGS_H
#define SCHEMA_SETTINGS_H

#include "base/err.h"

#include <argp.h>
#include <stddef.h>

typedef struct settings settings_t;

/* Takes an option as if it were on the command line; value is NULL for one without an argument,
 * and else lives as long as the settings. Returns 0, or fails with what is wrong with the value. */
typedef int settings_fn(void *arg, int key, char *value, err_t *err);

/* Reads a file. Fails with ERR_IO if it cannot be read, else with ERR_INVALID, as all below. */
settings_t *settings_new(const char *path, err_t *err);
void settings_destroy(settings_t **self_p);

/* Whether the file speaks of these programs only. */
int settings_check(settings_t *self, const char *const *programs, size_t count, err_t *err);

/* Hands what the file says to the program to take(), in the file's order; options is a table that
 * ends with an empty entry. --config itself is no setting. */
int settings_take(settings_t *self, const char *program, const struct argp_option *options,
    settings_fn *take, void *arg, err_t *err);

#endif
