/* progress - tells a person what is happening: a line for each phase, with its time.
 *
 * On a terminal the present phase's line shows how long it has lasted so far. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "base/ev.h"

#include <stdio.h>

typedef struct progress progress_t;

/* NULL out: says nothing. Both are borrowed. */
progress_t *progress_new(ev_t *ev, FILE *out);
void progress_destroy(progress_t **self_p);

/* A line that stands above the phases that follow. */
void progress_title(progress_t *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Begins a phase, and ends the one before it. */
void progress_begin(progress_t *self, const char *what);

/* Adds to the present phase what it turned out to be; shown when it ends. */
void progress_note(progress_t *self, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Ends the present phase, if any. */
void progress_end(progress_t *self);

/* A step of the agent within the present phase: what it does, before; how long it took, after. */
void progress_step(progress_t *self, int64_t number, const char *action);
void progress_step_end(progress_t *self);

/* A line of its own, such as the verdict. is_good colours it on a terminal. */
void progress_verdict(progress_t *self, bool is_good, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void progress_say(progress_t *self, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
