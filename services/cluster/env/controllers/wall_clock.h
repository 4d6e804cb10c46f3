/* wall_clock - the time of day by the loop's time, so that tests have virtual days. */
#ifndef CLUSTER_ENV_CONTROLLERS_WALL_CLOCK_H
#define CLUSTER_ENV_CONTROLLERS_WALL_CLOCK_H

#include "base/ev.h"

#include <time.h>

typedef struct wall_clock {
    ev_t *ev; /* borrowed */
    int64_t offset_ms;
} wall_clock_t;

/* It is now what the machine's clock says. */
static inline void wall_clock_init(wall_clock_t *self, ev_t *ev)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    self->ev = ev;
    self->offset_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 - ev_now(ev);
}

static inline int64_t wall_clock_ms(const wall_clock_t *self)
{
    return ev_now(self->ev) + self->offset_ms;
}

static inline time_t wall_clock_now(const wall_clock_t *self)
{
    return (time_t)(wall_clock_ms(self) / 1000);
}

#endif
