/* The end of a CustomResourceDefinition: first all its objects go, then its finalizer. And names
 * that one definition gives up are accepted of another that waits for them. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/controller.h"
#include "services/cluster/env/controllers/work_queue.h"
#include "services/cluster/env/custom.h"
#include "services/cluster/env/object.h"

typedef struct customs {
    store_t *store;
    const kind_t *kind;
    work_queue_t *queue; /* definitions by name */
    store_watch_t *watch;
} customs_t;

/* ---- objects ------------------------------------------------------------------------------ */

typedef struct emptying {
    store_t *store;
    const kind_t *kind;
    size_t left;
} emptying_t;

static void empty_one(void *arg, json_t *object)
{
    emptying_t *self = arg;
    AUTO_FREE char *namespace = xstrdup(object_namespace(object));
    AUTO_FREE char *name = xstrdup(object_name(object));
    if (!object_is_deleted(object))
        (void)store_delete(self->store, self->kind, namespace, name, NULL, NULL);
    self->left += store_get(self->store, self->kind, namespace, name) != NULL;
}

static void take_finalizer_off(customs_t *self, const json_t *definition)
{
    json_t *copy = object_copy(definition, "metadata");
    json_t *kept = json_array();
    size_t i;
    json_t *finalizer;
    json_array_foreach(object_at(definition, "metadata.finalizers"), i, finalizer)
    {
        if (strcmp(json_string_value(finalizer), CUSTOM_FINALIZER) != 0)
            json_array_append(kept, finalizer);
    }
    json_object_set_new(json_object_get(copy, "metadata"), "finalizers", kept);
    (void)store_update(self->store, self->kind, copy, STORE_ALL, NULL); /* else its change comes */
}

static void reconcile(void *arg, const char *namespace, const char *name)
{
    customs_t *self = arg;
    (void)namespace;
    json_auto_t *definition = json_incref(store_get(self->store, self->kind, NULL, name));
    emptying_t emptying = {.store = self->store, .kind = store_custom(self->store, name)};
    if (!definition)
        return;
    if (!object_is_deleted(definition)) { /* names may have become free: it is filled in anew */
        (void)store_update(self->store, self->kind, json_copy(definition), STORE_ALL, NULL);
        return;
    }
    if (emptying.kind)
        store_each(self->store, emptying.kind, NULL, empty_one, &emptying);
    if (!emptying.left)
        take_finalizer_off(self, definition);
}

/* ---- changes ------------------------------------------------------------------------------ */

static bool waits_for_names(const json_t *definition)
{
    return !strcmp(object_string(object_condition(definition, "NamesAccepted"), "status"), "False");
}

static void add_waiting(void *arg, json_t *definition)
{
    customs_t *self = arg;
    if (waits_for_names(definition))
        work_queue_add(self->queue, "", object_name(definition));
}

static void on_change(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    customs_t *self = arg;
    bool is_gone = change == STORE_DELETED;
    if (kind->custom && is_gone)
        work_queue_add(self->queue, "", kind->custom->qualified);
    if (kind != self->kind)
        return;
    if (!is_gone && object_is_deleted(object))
        work_queue_add(self->queue, "", object_name(object));
    const json_t *names = object_at(object, "status.acceptedNames");
    if (is_gone || !json_equal(names, object_at(old, "status.acceptedNames")))
        store_each(self->store, self->kind, NULL, add_waiting, self);
}

static void add_leaving(void *arg, json_t *definition)
{
    customs_t *self = arg;
    if (object_is_deleted(definition))
        work_queue_add(self->queue, "", object_name(definition));
}

/* ---- life cycle --------------------------------------------------------------------------- */

static void *open_customs(const controller_deps_t *deps)
{
    customs_t *self = xcalloc(1, sizeof(*self));
    self->store = deps->store;
    self->kind = kind_find("CustomResourceDefinition");
    self->queue = work_queue_new(deps->ev, reconcile, self);
    self->watch = store_watch(deps->store, NULL, on_change, self);
    store_each(deps->store, self->kind, NULL, add_leaving, self);
    return self;
}

static void close_customs(void *arg)
{
    customs_t *self = arg;
    store_watch_end(&self->watch);
    work_queue_destroy(&self->queue);
    free(self);
}

const controller_kind_t controller_custom_resources = {
    .name = "custom-resources", .open = open_customs, .close = close_customs};
