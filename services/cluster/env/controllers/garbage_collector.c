/* Garbage collection by owner references.
 *
 * An object whose owners are all gone goes too. An object deleted in the foreground waits for its
 * dependents: they are deleted first, then its finalizer is taken off. (Orphaning is done by the
 * store at the time of deletion.) Owners know their dependents by an index kept from the store's
 * changes. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/controller.h"
#include "services/cluster/env/controllers/work_queue.h"
#include "services/cluster/env/object.h"

#define FOREGROUND "foregroundDeletion"

typedef struct collector {
    store_t *store;
    work_queue_t *queue; /* "apiVersion Kind:namespace" as namespace, and the name */
    store_watch_t *watch;
    json_t *dependents; /* by owner uid: by own uid: [apiVersion and kind, namespace, name] */
} collector_t;

static void exchange(char *text, char from, char to)
{
    for (char *c = strchr(text, from); c; c = strchr(c, from))
        *c = to;
}

static void enqueue(collector_t *self, const char *type, const char *namespace, const char *name)
{
    AUTO_FREE char *place = xasprintf("%s:%s", type, namespace);
    exchange(place, '/', '|'); /* the queue has a use for slashes */
    work_queue_add(self->queue, place, name);
}

static json_t *type_of(const kind_t *kind)
{
    return json_sprintf("%s %s", kind_api_version(kind), kind->name);
}

/* ---- the index ---------------------------------------------------------------------------- */

static void index_remove(collector_t *self, const json_t *object)
{
    size_t i = 0;
    json_t *reference = NULL;
    json_array_foreach(object_at(object, "metadata.ownerReferences"), i, reference)
    {
        const char *uid = object_string(reference, "uid");
        json_t *dependents = json_object_get(self->dependents, uid);
        json_object_del(dependents, object_uid(object));
        if (dependents && !json_object_size(dependents))
            json_object_del(self->dependents, uid);
    }
}

static void index_add(collector_t *self, const kind_t *kind, const json_t *object)
{
    size_t i = 0;
    json_t *reference = NULL;
    json_array_foreach(object_at(object, "metadata.ownerReferences"), i, reference)
    {
        const char *uid = object_string(reference, "uid");
        if (!json_object_get(self->dependents, uid))
            json_object_set_new(self->dependents, uid, json_object());
        json_object_set_new(json_object_get(self->dependents, uid), object_uid(object),
            json_pack("[o, s, s]", type_of(kind), object_namespace(object), object_name(object)));
    }
}

static const char *part(const json_t *place, size_t i)
{
    return json_string_value(json_array_get(place, i));
}

static void enqueue_dependents(collector_t *self, const char *uid)
{
    const char *key = NULL;
    json_t *place = NULL;
    json_object_foreach(json_object_get(self->dependents, uid), key, place)
    {
        enqueue(self, part(place, 0), part(place, 1), part(place, 2));
    }
}

/* ---- owners ------------------------------------------------------------------------------- */

/* The owner that a reference of object means, or NULL when it is gone. */
static json_t *owner_of(collector_t *self, const json_t *object, const json_t *reference)
{
    const kind_t *kind = store_find_type(
        self->store, object_string(reference, "apiVersion"), object_string(reference, "kind"));
    json_t *owner = kind ? store_get(self->store, kind, object_namespace(object),
                        object_string(reference, "name"))
                         : NULL;
    bool is_same = owner && strcmp(object_uid(owner), object_string(reference, "uid")) == 0;
    return is_same ? owner : NULL;
}

static bool waits_for_dependents(const json_t *object)
{
    size_t i = 0;
    json_t *finalizer = NULL;
    json_array_foreach(object_at(object, "metadata.finalizers"), i, finalizer)
    {
        if (object_is_deleted(object) && strcmp(json_string_value(finalizer), FOREGROUND) == 0)
            return true;
    }
    return false;
}

static json_t *dependents_of(const collector_t *self, const json_t *object)
{
    return json_object_get(self->dependents, object_uid(object));
}

/* ---- reconciling ------------------------------------------------------------------------------
 */

static void take_finalizer_off(collector_t *self, const kind_t *kind, const json_t *object)
{
    json_t *copy = object_copy(object, "metadata");
    json_t *kept = json_array();
    size_t i = 0;
    json_t *finalizer = NULL;
    json_array_foreach(object_at(object, "metadata.finalizers"), i, finalizer)
    {
        if (strcmp(json_string_value(finalizer), FOREGROUND) != 0)
            json_array_append(kept, finalizer);
    }
    json_object_set_new(json_object_get(copy, "metadata"), "finalizers", kept);
    (void)store_update(self->store, kind, copy, STORE_ALL, NULL); /* else its change comes */
}

static void reconcile_object(collector_t *self, const kind_t *kind, json_t *object)
{
    if (waits_for_dependents(object)) {
        if (json_object_size(dependents_of(self, object)))
            enqueue_dependents(self, object_uid(object));
        else
            take_finalizer_off(self, kind, object);
    }
    const json_t *references = object_at(object, "metadata.ownerReferences");
    if (!json_array_size(references) || object_is_deleted(object))
        return;
    bool is_waited_for = false;
    size_t i = 0;
    json_t *reference = NULL;
    json_array_foreach(references, i, reference)
    {
        const json_t *owner = owner_of(self, object, reference);
        if (owner && !waits_for_dependents(owner))
            return; /* somebody still wants it */
        is_waited_for = is_waited_for || owner;
    }
    bool is_foreground = is_waited_for && json_object_size(dependents_of(self, object));
    store_delete_t options = {
        .grace_seconds = -1, .propagation = is_foreground ? "Foreground" : "Background"};
    (void)store_delete(self->store, kind, object_namespace(object), object_name(object), &options,
        NULL); /* if it is gone, so much the better */
}

static void reconcile(void *arg, const char *place, const char *name)
{
    collector_t *self = arg;
    const char *space = strchr(place, ' ');
    const char *namespace = strrchr(place, ':') + 1;
    AUTO_FREE char *version = xstrndup(place, (size_t)(space - place));
    exchange(version, '|', '/');
    AUTO_FREE char *kind_name = xstrndup(space + 1, (size_t)(namespace - space - 2));
    const kind_t *kind = store_find_type(self->store, version, kind_name);
    if (!kind)
        return; /* an owner of a kind that we do not have */
    json_auto_t *object = json_incref(store_get(self->store, kind, namespace, name));
    if (object)
        reconcile_object(self, kind, object);
}

static void on_change(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    collector_t *self = arg;
    const json_t *references = object_at(object, "metadata.ownerReferences");
    const json_t *old_references = object_at(old, "metadata.ownerReferences");
    bool is_moved = change == STORE_ADDED || !json_equal(references, old_references);
    if (old && (is_moved || change == STORE_DELETED))
        index_remove(self, old);
    if (change != STORE_DELETED && is_moved)
        index_add(self, kind, object);
    if (change == STORE_DELETED) {
        enqueue_dependents(self, object_uid(object));
        size_t i = 0;
        json_t *reference = NULL;
        json_array_foreach(references, i, reference)
        {
            AUTO_FREE char *type = xasprintf(
                "%s %s", object_string(reference, "apiVersion"), object_string(reference, "kind"));
            enqueue(self, type, object_namespace(object), object_string(reference, "name"));
        }
    } else if ((is_moved && json_array_size(references)) || object_is_deleted(object)) {
        json_auto_t *type = type_of(kind);
        enqueue(self, json_string_value(type), object_namespace(object), object_name(object));
    }
}

/* ---- life cycle --------------------------------------------------------------------------- */

typedef struct indexing {
    collector_t *collector;
    const kind_t *kind;
} indexing_t;

static void index_one(void *arg, json_t *object)
{
    const indexing_t *self = arg;
    index_add(self->collector, self->kind, object);
}

static void *open_collector(const controller_deps_t *deps)
{
    collector_t *self = xcalloc(1, sizeof(*self));
    self->store = deps->store;
    self->dependents = json_object();
    self->queue = work_queue_new(deps->ev, reconcile, self);
    self->watch = store_watch(deps->store, NULL, on_change, self);
    for (size_t i = 0; store_kind_at(deps->store, i); i++) {
        indexing_t indexing = {.collector = self, .kind = store_kind_at(deps->store, i)};
        store_each(deps->store, indexing.kind, NULL, index_one, &indexing);
    }
    return self;
}

static void close_collector(void *arg)
{
    collector_t *self = arg;
    store_watch_end(&self->watch);
    work_queue_destroy(&self->queue);
    json_decref(self->dependents);
    free(self);
}

const controller_kind_t controller_garbage_collector = {
    .name = "garbage-collector",
    .open = open_collector,
    .close = close_collector,
};
