/* store - the objects of one environment, their versions, and who is told of changes.
 *
 * Objects are jansson trees with apiVersion and kind. A stored object is immutable: copy it
 * (json_deep_copy(), or object_copy() for the parts to change), change the copy, put it back. What
 * is put in may share parts with stored objects. Every change gets the next resource version, one
 * counter for all kinds; the last changes are kept, so that a watch can be taken up again.
 *
 * Functions that change something fail with a sentence in the words of a real API server, and
 *     -ERR_NOT_FOUND   no such object, or no such namespace
 *     -ERR_EXISTS      the name is taken
 *     -ERR_STATE       a conflict: the object was changed meanwhile; read it again and retry
 *     -ERR_FORBIDDEN   the namespace is being terminated
 *     -ERR_INVALID     misshapen: not an object, or without a name
 * Defaults are filled in (kind->fill); validation is the HTTP API's (kind->validate). */
#ifndef CLUSTER_ENV_STORE_H
#define CLUSTER_ENV_STORE_H

#include "base/err.h"
#include "base/ev.h"
#include "services/cluster/env/kind.h"

#include <jansson.h>
#include <stdint.h>

/* What holds a CustomResourceDefinition until its objects are gone. */
#define CUSTOM_FINALIZER "customresourcecleanup.apiextensions.k8s.io"

typedef enum { STORE_ADDED, STORE_MODIFIED, STORE_DELETED } store_change_t;

typedef enum {
    STORE_SPEC = 1,   /* everything but status: what PUT on the object does */
    STORE_STATUS = 2, /* status only: what PUT on …/status does */
    STORE_ALL = 3,
} store_part_t;

typedef struct store_delete {
    int64_t grace_seconds;        /* -1: the object's own */
    const char *propagation;      /* "Background", "Foreground", "Orphan"; NULL: Background */
    const char *uid;              /* precondition, or NULL */
    const char *resource_version; /* precondition, or NULL */
} store_delete_t;

/* A change, told from the loop and never from within a call that changes the store. old is NULL
 * for STORE_ADDED; for STORE_DELETED object is the last state. All borrowed: json_incref() to
 * keep. */
typedef void(store_watch_fn)(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old);
typedef struct store_watch store_watch_t;

/* The seed decides uids, generated names and cluster addresses; 0 takes a random one. */
store_t *store_new(ev_t *ev, uint64_t seed);
void store_destroy(store_t **self_p);

/* The object, borrowed until the store changes it, or NULL. namespace is ignored for kinds that
 * have none. */
json_t *store_get(store_t *self, const kind_t *kind, const char *namespace, const char *name);

/* All kinds, the custom ones last; NULL past the end. */
const kind_t *store_kind_at(const store_t *self, size_t i);
/* The kind by group and plural, or by apiVersion (any that is served) and kind; NULL when there is
 * none. Of custom kinds it is the stored form (custom.h). */
const kind_t *store_find_resource(const store_t *self, const char *group, const char *plural);
const kind_t *store_find_type(const store_t *self, const char *api_version, const char *name);
/* The custom kind of a definition ("foos.example.com"), also while it is not served, or NULL. */
const kind_t *store_custom(const store_t *self, const char *name);

/* Calls fn for each object of a kind, in order of namespace and name; in all namespaces when
 * namespace is NULL. fn may change the store: objects made meanwhile are not visited. */
void store_each(store_t *self, const kind_t *kind, const char *namespace,
    void (*fn)(void *arg, json_t *object), void *arg);

/* Stores a new object (taken). Sets apiVersion, kind, uid, creationTimestamp, resourceVersion,
 * generation, and a name from generateName. *stored_p, if not NULL, is borrowed. */
int store_create(store_t *self, const kind_t *kind, json_t *object, json_t **stored_p, err_t *err);

/* Replaces the part of the object with the same name (taken). Where metadata.resourceVersion is
 * given it must be the present one. A change that changes nothing leaves the version alone. An
 * object on its way out goes when its last finalizer does. */
int store_update(store_t *self, const kind_t *kind, json_t *object, store_part_t part, err_t *err);

/* Deletes as the API does: an object with finalizers, a running pod and a namespace are marked with
 * deletionTimestamp (for the kubelet and the controllers to finish); all else goes at once.
 * Propagation Orphan takes the dependents' owner references away here; Foreground puts the
 * foregroundDeletion finalizer on for the gc controller. options may be NULL. */
int store_delete(store_t *self, const kind_t *kind, const char *namespace, const char *name,
    const store_delete_t *options, err_t *err);

/* Takes the object away at once, whatever finalizers or grace say: the kubelet's and the namespace
 * controller's last step. */
int store_remove(
    store_t *self, const kind_t *kind, const char *namespace, const char *name, err_t *err);

/* Has fn called for every change of a kind (NULL: of all) from now on. */
store_watch_t *store_watch(store_t *self, const kind_t *kind, store_watch_fn *fn, void *arg);
/* Stops it at once, also from within fn. */
void store_watch_end(store_watch_t **watch_p);

/* The last resource version given. */
uint64_t store_version(const store_t *self);

#endif
