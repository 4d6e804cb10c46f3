/* Namespace: what every namespace has, and emptying it before it goes. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/controller.h"
#include "services/cluster/env/controllers/work_queue.h"
#include "services/cluster/env/object.h"

#define CA_NAME "kube-root-ca.crt"

typedef struct namespaces {
    store_t *store;
    const char *ca_pem;
    const kind_t *kind;
    const kind_t *account_kind;
    const kind_t *map_kind;
    work_queue_t *queue; /* names of namespaces */
    store_watch_t *watch;
} namespaces_t;

/* ---- furnishing --------------------------------------------------------------------------- */

static void furnish(namespaces_t *self, const char *name)
{
    if (!store_get(self->store, self->account_kind, name, "default"))
        (void)store_create(self->store, self->account_kind,
            json_pack("{s:{s:s, s:s}}", "metadata", "name", "default", "namespace", name), NULL,
            NULL); /* fails only if the namespace went meanwhile */
    if (store_get(self->store, self->map_kind, name, CA_NAME))
        return;
    json_t *map = json_pack("{s:{s:s, s:s, s:{s:s}}, s:{s:s}}", "metadata", "name", CA_NAME,
        "namespace", name, "annotations", "kubernetes.io/description",
        "Contains a CA bundle that can be used to verify the kube-apiserver when using internal "
        "endpoints such as the internal service IP or kubernetes.default.svc. No other usage is "
        "guaranteed across distributions of Kubernetes clusters.",
        "data", "ca.crt", self->ca_pem);
    (void)store_create(self->store, self->map_kind, map, NULL, NULL);
}

/* ---- emptying ----------------------------------------------------------------------------- */

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

static size_t empty(namespaces_t *self, const char *name)
{
    emptying_t emptying = {.store = self->store};
    for (size_t i = 0; store_kind_at(self->store, i); i++) {
        emptying.kind = store_kind_at(self->store, i);
        if (emptying.kind->is_namespaced)
            store_each(self->store, emptying.kind, name, empty_one, &emptying);
    }
    return emptying.left;
}

/* ---- reconciling ------------------------------------------------------------------------------
 */

static void reconcile(void *arg, const char *namespace, const char *name)
{
    namespaces_t *self = arg;
    (void)namespace;
    const json_t *object = store_get(self->store, self->kind, NULL, name);
    if (!object)
        return;
    if (!object_is_deleted(object))
        furnish(self, name);
    else if (empty(self, name) == 0)
        (void)store_remove(self->store, self->kind, NULL, name, NULL); /* it is there */
}

static bool is_terminating(namespaces_t *self, const char *name)
{
    const json_t *namespace = store_get(self->store, self->kind, NULL, name);
    return namespace && object_is_deleted(namespace);
}

static bool is_furniture(const namespaces_t *self, const kind_t *kind, const json_t *object)
{
    return (kind == self->account_kind && strcmp(object_name(object), "default") == 0)
           || (kind == self->map_kind && strcmp(object_name(object), CA_NAME) == 0);
}

static void on_change(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    namespaces_t *self = arg;
    (void)old;
    if (kind == self->kind)
        work_queue_add(self->queue, "", object_name(object));
    else if (kind->is_namespaced && change == STORE_DELETED
             && (is_furniture(self, kind, object)
                 || is_terminating(self, object_namespace(object))))
        work_queue_add(self->queue, "", object_namespace(object));
}

static void add(void *arg, json_t *namespace)
{
    work_queue_add(((namespaces_t *)arg)->queue, "", object_name(namespace));
}

/* ---- life cycle --------------------------------------------------------------------------- */

static void *open_namespaces(const controller_deps_t *deps)
{
    namespaces_t *self = xcalloc(1, sizeof(*self));
    self->store = deps->store;
    self->ca_pem = deps->ca_pem;
    self->kind = kind_find("Namespace");
    self->account_kind = kind_find("ServiceAccount");
    self->map_kind = kind_find("ConfigMap");
    self->queue = work_queue_new(deps->ev, reconcile, self);
    self->watch = store_watch(deps->store, NULL, on_change, self);
    store_each(deps->store, self->kind, NULL, add, self);
    return self;
}

static void close_namespaces(void *arg)
{
    namespaces_t *self = arg;
    store_watch_end(&self->watch);
    work_queue_destroy(&self->queue);
    free(self);
}

const controller_kind_t controller_namespace = {
    .name = "namespace",
    .open = open_namespaces,
    .close = close_namespaces,
};
