#include "services/cluster/env/controllers/work_queue.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

/* A name that waits for its time. */
typedef struct delayed {
    work_queue_t *queue;
    char *key;
    int64_t due;
    int timer_id;
} delayed_t;

struct work_queue {
    ev_t *ev; /* borrowed */
    work_fn *work;
    void *arg;
    zlistx_t *keys;     /* "namespace/name", in order */
    zhashx_t *is_there; /* the same keys */
    zhashx_t *delayed;  /* delayed_t by key */
    int timer_id;
};

static void delayed_destroy(void **item_p)
{
    delayed_t *self = *item_p;
    ev_cancel(self->queue->ev, self->timer_id);
    free(self->key);
    free(self);
    *item_p = NULL;
}

static void key_destroy(void **item_p)
{
    free(*item_p);
    *item_p = NULL;
}

static void work_on(work_queue_t *self, char *key)
{
    char *slash = strchr(key, '/');
    *slash = '\0';
    self->work(self->arg, key, slash + 1);
}

static void on_turn(void *arg)
{
    work_queue_t *self = arg;
    self->timer_id = 0;
    for (size_t left = zlistx_size(self->keys); left > 0; left--) {
        AUTO_FREE char *key = zlistx_detach(self->keys, NULL);
        zhashx_delete(self->is_there, key);
        work_on(self, key);
    }
}

static void add_key(work_queue_t *self, const char *key)
{
    if (zhashx_lookup(self->is_there, key))
        return;
    zhashx_insert(self->is_there, key, self);
    zlistx_add_end(self->keys, xstrdup(key));
    if (!self->timer_id)
        self->timer_id = ev_after(self->ev, 0, on_turn, self);
}

void work_queue_add(work_queue_t *self, const char *namespace, const char *name)
{
    AUTO_FREE char *key = xasprintf("%s/%s", namespace, name);
    add_key(self, key);
}

void work_queue_add_object(work_queue_t *self, const json_t *object)
{
    work_queue_add(self, object_namespace(object), object_name(object));
}

static void on_due(void *arg)
{
    delayed_t *delayed = arg;
    work_queue_t *self = delayed->queue;
    AUTO_FREE char *key = xstrdup(delayed->key);
    delayed->timer_id = 0;
    zhashx_delete(self->delayed, key);
    add_key(self, key);
}

void work_queue_add_after(
    work_queue_t *self, const char *namespace, const char *name, int64_t delay_ms)
{
    AUTO_FREE char *key = xasprintf("%s/%s", namespace, name);
    int64_t due = ev_now(self->ev) + delay_ms;
    delayed_t *delayed = zhashx_lookup(self->delayed, key);
    if (delayed && delayed->due <= due)
        return;
    zhashx_delete(self->delayed, key);
    delayed = xcalloc(1, sizeof(*delayed));
    *delayed = (delayed_t){.queue = self, .key = xstrdup(key), .due = due};
    delayed->timer_id = ev_after(self->ev, delay_ms, on_due, delayed);
    zhashx_insert(self->delayed, key, delayed);
}

work_queue_t *work_queue_new(ev_t *ev, work_fn *work, void *arg)
{
    work_queue_t *self = xcalloc(1, sizeof(*self));
    *self = (work_queue_t){.ev = ev, .work = work, .arg = arg};
    self->keys = zlistx_new();
    zlistx_set_destructor(self->keys, key_destroy);
    self->is_there = zhashx_new();
    self->delayed = zhashx_new();
    zhashx_set_destructor(self->delayed, delayed_destroy);
    return self;
}

void work_queue_destroy(work_queue_t **self_p)
{
    work_queue_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    ev_cancel(self->ev, self->timer_id);
    zhashx_destroy(&self->delayed);
    zhashx_destroy(&self->is_there);
    zlistx_destroy(&self->keys);
    free(self);
}
