/* history - what was measured in one environment, in bounded memory.
 *
 * Time is cut into ticks, one a second. A series keeps runs: from tick to tick the same value. What
 * does not change costs nothing more, what changes costs 16 bytes a tick. What is older than the
 * window is forgotten; when the memory allowed is used up the window shrinks, and is counted. */
#ifndef TELEMETRY_HISTORY_H
#define TELEMETRY_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct history history_t;

typedef enum { HISTORY_CONTAINER, HISTORY_APP, HISTORY_LOAD, HISTORY_KIND_COUNT } history_kind_t;

/* One series; all text is the history's. */
typedef struct history_series {
    history_kind_t kind;
    char *name;      /* of the metric */
    char *namespace; /* of the pod */
    char *owner;     /* whose it is, as the CSV's cmdb_id: "node.pod" */
    char *detail;    /* what tells it from others of that name and owner: ".eth0", or "" */
} history_series_t;

history_t *history_new(int64_t window_ms, size_t limit_bytes);
void history_destroy(history_t **self_p);

/* Begins a tick at a Unix time in ms, later than the last. */
void history_tick(history_t *self, int64_t time_ms);

/* Notes a value in the present tick. key names the series; describe() fills *series when the key is
 * new (its strings are taken), or returns false to refuse it. */
typedef bool(history_describe_fn)(void *arg, history_series_t *series);
void history_put(
    history_t *self, const char *key, double value, history_describe_fn *describe, void *arg);

/* The times of the oldest tick kept and of the newest; 0 if there is none. */
int64_t history_begin(const history_t *self);
int64_t history_end(const history_t *self);

/* The value of a series at a time: of the last tick at or before it, if that is no older than
 * patience_ms. Returns false if there is none. */
bool history_value(const history_t *self, const history_series_t *series, int64_t time_ms,
    int64_t patience_ms, double *value);

/* The series in order of kind, name, owner and detail: an array of count, for free(); the series
 * stay the history's. */
const history_series_t **history_list(const history_t *self, size_t *count_p);

size_t history_bytes(const history_t *self);
/* How many runs were forgotten before their time. */
uint64_t history_dropped(const history_t *self);

#endif
