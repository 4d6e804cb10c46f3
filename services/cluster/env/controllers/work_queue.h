/* work_queue - names of objects that a controller has yet to look at, each at most once.
 *
 * Whatever is added in one turn of the loop is worked on in the next, in order. */
#ifndef CLUSTER_ENV_CONTROLLERS_WORK_QUEUE_H
#define CLUSTER_ENV_CONTROLLERS_WORK_QUEUE_H

#include "base/ev.h"

#include <jansson.h>

typedef struct work_queue work_queue_t;
typedef void(work_fn)(void *arg, const char *namespace, const char *name);

work_queue_t *work_queue_new(ev_t *ev, work_fn *work, void *arg);
void work_queue_destroy(work_queue_t **self_p);

void work_queue_add(work_queue_t *self, const char *namespace, const char *name);
void work_queue_add_object(work_queue_t *self, const json_t *object);

/* Not before delay_ms have passed; of several times given the soonest counts. */
void work_queue_add_after(
    work_queue_t *self, const char *namespace, const char *name, int64_t delay_ms);

#endif
