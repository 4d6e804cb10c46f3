/* Which pods must leave their node because of its NoExecute taints, and when. */
#include "services/cluster/env/controllers/node_taints.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/fit.h"
#include "services/cluster/env/controllers/work_queue.h"
#include "services/cluster/env/events.h"
#include "services/cluster/env/object.h"

#include <string.h>

static const event_source_t source = {"taint-eviction-controller", NULL};

struct taint_eviction {
    ev_t *ev;
    store_t *store;
    const kind_t *pod_kind;
    work_queue_t *queue; /* pods */
    json_t *since;       /* pod uid -> when its time began, by the loop's clock */
    store_watch_t *node_watch;
    store_watch_t *pod_watch;
};

/* How long the pod may stay beside a taint: -1 for ever, 0 not at all. */
static int64_t tolerated_ms(const json_t *pod, const json_t *taint)
{
    int64_t shortest = -1;
    bool is_tolerated = false;
    size_t i;
    json_t *toleration;
    json_array_foreach(object_at(pod, "spec.tolerations"), i, toleration)
    {
        int64_t seconds = object_integer(toleration, "tolerationSeconds", -1);
        if (!fit_tolerates(toleration, taint))
            continue;
        is_tolerated = true;
        if (seconds >= 0 && (shortest < 0 || seconds * 1000 < shortest))
            shortest = seconds * 1000;
    }
    return is_tolerated ? shortest : 0;
}

/* The shortest over all NoExecute taints; -1: for ever. */
static int64_t time_left(const json_t *pod, const json_t *node)
{
    int64_t shortest = -1;
    size_t i;
    json_t *taint;
    json_array_foreach(object_at(node, "spec.taints"), i, taint)
    {
        if (strcmp(object_string(taint, "effect"), "NoExecute") != 0)
            continue;
        int64_t ms = tolerated_ms(pod, taint);
        if (ms >= 0 && (shortest < 0 || ms < shortest))
            shortest = ms;
    }
    return shortest;
}

static void evict(taint_eviction_t *self, json_t *pod)
{
    json_auto_t *kept = json_incref(pod);
    event_record(self->store, source, kept, NULL, "Normal", "TaintManagerEviction",
        "Marking for deletion Pod %s/%s", object_namespace(kept), object_name(kept));
    (void)store_delete(self->store, self->pod_kind, object_namespace(kept), object_name(kept), NULL,
        NULL); /* gone is what it should be */
}

static void cancel(taint_eviction_t *self, const json_t *pod)
{
    if (json_object_del(self->since, object_uid(pod)) == 0)
        event_record(self->store, source, pod, NULL, "Normal", "TaintManagerEviction",
            "Cancelling deletion of Pod %s/%s", object_namespace(pod), object_name(pod));
}

static void on_pod_due(void *arg, const char *namespace, const char *name)
{
    taint_eviction_t *self = arg;
    json_t *pod = store_get(self->store, self->pod_kind, namespace, name);
    const char *node_name = object_string(pod, "spec.nodeName");
    if (!pod || object_is_deleted(pod) || !*node_name)
        return;
    const json_t *node = store_get(self->store, kind_find("Node"), NULL, node_name);
    int64_t allowed = time_left(pod, node);
    if (allowed < 0) {
        cancel(self, pod);
        return;
    }
    if (!json_object_get(self->since, object_uid(pod)))
        json_object_set_new(self->since, object_uid(pod), json_integer(ev_now(self->ev)));
    int64_t begun = json_integer_value(json_object_get(self->since, object_uid(pod)));
    int64_t left = begun + allowed - ev_now(self->ev);
    if (left > 0)
        work_queue_add_after(self->queue, namespace, name, left);
    else
        evict(self, pod);
}

/* ---- changes ----------------------------------------------------------------------------------
 */

typedef struct visit {
    taint_eviction_t *eviction;
    const char *node;
} visit_t;

static void add_pod_of_node(void *arg, json_t *pod)
{
    const visit_t *visit = arg;
    if (strcmp(object_string(pod, "spec.nodeName"), visit->node) == 0)
        work_queue_add_object(visit->eviction->queue, pod);
}

static void on_node(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    (void)kind;
    taint_eviction_t *self = arg;
    const json_t *taints = object_at(object, "spec.taints");
    const json_t *before = object_at(old, "spec.taints");
    bool is_same = taints == before || (taints && before && json_equal(taints, before));
    visit_t visit = {.eviction = self, .node = object_name(object)};
    if (change != STORE_DELETED && !is_same)
        store_each(self->store, self->pod_kind, NULL, add_pod_of_node, &visit);
}

static void on_pod(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    (void)kind;
    taint_eviction_t *self = arg;
    const char *node = object_string(object, "spec.nodeName");
    if (change == STORE_DELETED)
        (void)json_object_del(self->since, object_uid(object)); /* it may not be there */
    else if (*node && strcmp(object_string(old, "spec.nodeName"), node) != 0)
        work_queue_add_object(self->queue, object);
}

/* ---- life cycle -------------------------------------------------------------------------------
 */

taint_eviction_t *taint_eviction_new(ev_t *ev, store_t *store)
{
    taint_eviction_t *self = xcalloc(1, sizeof(*self));
    *self = (taint_eviction_t){
        .ev = ev, .store = store, .pod_kind = kind_find("Pod"), .since = json_object()};
    self->queue = work_queue_new(ev, on_pod_due, self);
    self->node_watch = store_watch(store, kind_find("Node"), on_node, self);
    self->pod_watch = store_watch(store, self->pod_kind, on_pod, self);
    return self;
}

void taint_eviction_destroy(taint_eviction_t **self_p)
{
    taint_eviction_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    store_watch_end(&self->node_watch);
    store_watch_end(&self->pod_watch);
    work_queue_destroy(&self->queue);
    json_decref(self->since);
    free(self);
}
