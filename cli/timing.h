/* timing - where the time of a run went, from the command's start to everything gone. */
#ifndef CLI_TIMING_H
#define CLI_TIMING_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

typedef struct timing {
    int64_t began_ms;
    int64_t sessions_ms; /* sum of all phases of all sessions */
    json_t *phases;      /* ms by phase, of all sessions */
    json_t *env_phases;  /* ms by phase of making environments */
} timing_t;

void timing_init(timing_t *self);
void timing_done(timing_t *self);

/* Adds a session's result. */
void timing_add(timing_t *self, const json_t *result);

void timing_print(const timing_t *self, FILE *out);

#endif
