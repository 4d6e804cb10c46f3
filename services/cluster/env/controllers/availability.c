#include "services/cluster/env/controllers/availability.h"

#include "base/mem.h"
#include "services/cluster/env/controllers/pods.h"
#include "services/cluster/env/object.h"

struct availability {
    ev_t *ev;
    zhashx_t *ready_since; /* int64_t of ev_now() by pod uid, where minReadySeconds asks for it */
};

static void mark_destroy(void **item_p)
{
    free(*item_p);
    *item_p = NULL;
}

availability_t *availability_new(ev_t *ev)
{
    availability_t *self = xcalloc(1, sizeof(*self));
    self->ev = ev;
    self->ready_since = zhashx_new();
    zhashx_set_destructor(self->ready_since, mark_destroy);
    return self;
}

void availability_destroy(availability_t **self_p)
{
    availability_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    zhashx_destroy(&self->ready_since);
    free(self);
}

void availability_forget(availability_t *self, const json_t *pod)
{
    zhashx_delete(self->ready_since, object_uid(pod));
}

int64_t availability_wait(availability_t *self, const json_t *pod, int64_t min_ready_seconds)
{
    if (!pod_is_ready(pod)) {
        availability_forget(self, pod);
        return -1;
    }
    int64_t wanted_ms = 1000 * min_ready_seconds;
    if (wanted_ms <= 0)
        return 0;
    int64_t now = ev_now(self->ev);
    const int64_t *since = zhashx_lookup(self->ready_since, object_uid(pod));
    if (!since) {
        int64_t *mark = xcalloc(1, sizeof(*mark));
        *mark = now;
        zhashx_insert(self->ready_since, object_uid(pod), mark);
        return wanted_ms;
    }
    return *since + wanted_ms > now ? *since + wanted_ms - now : 0;
}
