/* store - what the orchestrator must not forget: sessions and their steps, in SQLite (WAL).
 *
 * A write that returned is safe from a kill of the process. */
#ifndef ORCHESTRATOR_STORE_H
#define ORCHESTRATOR_STORE_H

#include "base/err.h"

#include <jansson.h>
#include <stdint.h>

typedef struct store store_t;

/* Opens or makes the database. Fails with ERR_STATE if another orchestrator has it open. */
store_t *store_new(const char *path, err_t *err);
void store_destroy(store_t **self_p);

/* Inserts or replaces a session. */
int store_put_session(store_t *self, const char *id, const json_t *session, err_t *err);

/* A new reference; NULL with ERR_NOT_FOUND or ERR_IO. */
json_t *store_get_session(store_t *self, const char *id, err_t *err);

/* Calls fn for each session that is not marked as over. fn must not write to the store. */
int store_each_open(
    store_t *self, void (*fn)(void *arg, const json_t *session), void *arg, err_t *err);

/* Marks a session as over. */
int store_close_session(store_t *self, const char *id, err_t *err);

/* Records what the agent said, before it is done, and what came of it, before it is told. */
int store_begin_step(
    store_t *self, const char *session, int64_t step, const char *action, err_t *err);
int store_end_step(
    store_t *self, const char *session, int64_t step, const char *observation, err_t *err);

/* The observation of a step: a new string, for free(); NULL if it has none yet. */
char *store_observation(store_t *self, const char *session, int64_t step);

/* Calls fn for each step in order; observation is NULL for one that was begun and never ended. */
int store_each_step(store_t *self, const char *session,
    void (*fn)(void *arg, int64_t step, const char *action, const char *observation), void *arg,
    err_t *err);

#endif
