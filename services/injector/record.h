/* record - what the injector must not forget of a fault, as a file.
 *
 * It is written through to the disk before anything is changed, so that whoever comes after a kill
 * can undo what was done. */
#ifndef INJECTOR_RECORD_H
#define INJECTOR_RECORD_H

#include "base/err.h"
#include "proto/messages.h"

#include <jansson.h>

/* When it is in force, by the wall clock, which outlives the injector. */
typedef struct record_times {
    int64_t asked_at; /* Unix ms */
    int64_t start_at; /* of the present or next round, Unix ms; not before it is injected */
    int64_t end_at;   /* of the present round, Unix ms; 0: not known yet, or never */
    int64_t for_ms;   /* length of a round; 0: until it is recovered */
    int64_t every_ms; /* from the start of a round to the next */
    int64_t ramp_ms;  /* over which the targets are struck, one after the other */
    int64_t rounds;   /* how many are left, with the present one */
} record_times_t;

typedef struct record {
    char *path; /* of the file */
    char *fault_id;
    char *fault; /* its kind's name */
    char *env;
    char *namespace;
    codec_list_t targets;
    json_t *parameters; /* object */
    int64_t seed;
    char *state;
    char *reason;    /* NULL: none */
    json_t *struck;  /* array: the names that the targets stand for; empty: not resolved yet */
    json_t *changes; /* array: what recover() needs, in the order in which it was done */
    record_times_t times;
} record_t;

/* From a request that was checked; in folder. Nothing is written yet. */
record_t *record_new(const char *folder, const fault_inject_t *request);

/* From a file; NULL if it is unreadable. */
record_t *record_load(const char *path, err_t *err);
void record_destroy(record_t **self_p);

/* Writes the file, whole or not at all, down to the disk. */
int record_save(const record_t *self, err_t *err);

/* Removes the file; the record stays. */
void record_forget(const record_t *self);

/* The wall clock, Unix ms. */
int64_t record_now(void);

/* Changes state and reason, which may be NULL. Not saved. */
void record_set_state(record_t *self, const char *state, const char *reason);

/* Appends a change (taken) and saves: to be called before the change is made. */
int record_note(record_t *self, json_t *change, err_t *err);

#endif
