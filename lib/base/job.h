/* job - a blocking piece of work on a thread of its own, whose end is an event of the loop.
 *
 *     job_start(ev, grade, task, on_graded, self);
 *
 * For sequences of calls that read best as straight code (a fault that patches, waits and checks).
 * The work must touch nothing that the loop's thread uses, and must have deadlines of its own. */
#ifndef BASE_JOB_H
#define BASE_JOB_H

#include "base/ev.h"

typedef struct job job_t;

/* Runs work(task) on a new thread; afterwards on_done(arg, task) on the loop's thread, once the
 * thread has ended. Returns NULL if no thread could be started, without calling either. The task
 * stays the caller's. */
job_t *job_start(ev_t *ev, void (*work)(void *task), void *task,
    void (*on_done)(void *arg, void *task), void *arg);

/* Waits for the work to end and forgets it without calling on_done; for the owner's destroy. */
void job_join(job_t **self_p);

#endif
