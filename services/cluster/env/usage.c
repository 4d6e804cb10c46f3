#include "services/cluster/env/usage.h"

#include "services/cluster/env/object.h"

#include "base/auto.h"
#include "base/mem.h"

enum { WINDOW_MIN_MS = 1000 };

/* A container's counter when it was last looked at. */
typedef struct mark {
    int64_t at_ms;
    uint64_t cpu_ns;
    int64_t cpu_nanos; /* the rate told then */
    int64_t window_ms;
} mark_t;

struct usage {
    ev_t *ev;       /* borrowed */
    store_t *store; /* borrowed */
    usage_read_fn *read;
    void *arg;
    store_watch_t *watch;
    zhashx_t *marks; /* mark_t by "uid container" */
};

static void mark_destroy(void **item_p)
{
    free(*item_p);
    *item_p = NULL;
}

static char *key_of(const json_t *pod, const char *container)
{
    return xasprintf("%s %s", object_uid(pod), container);
}

/* ---- rates -------------------------------------------------------------------------------- */

static int64_t rate(uint64_t cpu_ns, int64_t span_ms)
{
    return span_ms > 0 ? (int64_t)(cpu_ns / (uint64_t)span_ms * 1000) : 0;
}

static void start_mark(mark_t *mark, int64_t now, const usage_reading_t *reading)
{
    *mark = (mark_t){.at_ms = now,
        .cpu_ns = reading->cpu_ns,
        .cpu_nanos = rate(reading->cpu_ns, reading->age_ms),
        .window_ms = reading->age_ms};
}

static void move_mark(mark_t *mark, int64_t now, const usage_reading_t *reading)
{
    int64_t span_ms = now - mark->at_ms;
    if (reading->cpu_ns < mark->cpu_ns) /* it was started again */
        start_mark(mark, now, reading);
    else if (span_ms >= WINDOW_MIN_MS)
        *mark = (mark_t){.at_ms = now,
            .cpu_ns = reading->cpu_ns,
            .cpu_nanos = rate(reading->cpu_ns - mark->cpu_ns, span_ms),
            .window_ms = span_ms};
}

bool usage_of_container(
    usage_t *self, const json_t *pod, const char *container, usage_amount_t *amount)
{
    usage_reading_t reading;
    if (!self->read || !self->read(self->arg, pod, container, &reading))
        return false;
    AUTO_FREE char *key = key_of(pod, container);
    mark_t *mark = zhashx_lookup(self->marks, key);
    int64_t now = ev_now(self->ev);
    if (mark) {
        move_mark(mark, now, &reading);
    } else {
        mark = xcalloc(1, sizeof(*mark));
        start_mark(mark, now, &reading);
        zhashx_insert(self->marks, key, mark);
    }
    *amount = (usage_amount_t){.cpu_nanos = mark->cpu_nanos,
        .memory_bytes = (int64_t)reading.memory_bytes,
        .window_ms = mark->window_ms};
    return true;
}

bool usage_of_pod(usage_t *self, const json_t *pod, usage_amount_t *amount)
{
    size_t i;
    json_t *container;
    *amount = (usage_amount_t){0};
    json_array_foreach(object_at(pod, "spec.containers"), i, container)
    {
        usage_amount_t part;
        if (!usage_of_container(self, pod, object_string(container, "name"), &part))
            return false;
        amount->cpu_nanos += part.cpu_nanos;
        amount->memory_bytes += part.memory_bytes;
        amount->window_ms = part.window_ms;
    }
    return i > 0;
}

/* ---- life cycle --------------------------------------------------------------------------- */

static void on_pod(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    usage_t *self = arg;
    size_t i;
    json_t *container;
    (void)kind, (void)old;
    if (change != STORE_DELETED)
        return;
    json_array_foreach(object_at(object, "spec.containers"), i, container)
    {
        AUTO_FREE char *key = key_of(object, object_string(container, "name"));
        zhashx_delete(self->marks, key);
    }
}

usage_t *usage_new(ev_t *ev, store_t *store)
{
    usage_t *self = xcalloc(1, sizeof(*self));
    *self = (usage_t){.ev = ev, .store = store};
    self->marks = zhashx_new();
    zhashx_set_destructor(self->marks, mark_destroy);
    self->watch = store_watch(store, kind_find("Pod"), on_pod, self);
    return self;
}

void usage_destroy(usage_t **self_p)
{
    usage_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    store_watch_end(&self->watch);
    zhashx_destroy(&self->marks);
    free(self);
}

void usage_set_reader(usage_t *self, usage_read_fn *read, void *arg)
{
    self->read = read;
    self->arg = arg;
}
