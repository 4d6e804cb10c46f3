/* Creating, updating and deleting, with the words and side effects of a real API server. */
#include "services/cluster/env/admission/admission.h"
#include "services/cluster/env/object.h"
#include "services/cluster/env/store_internal.h"

#include "base/auto.h"
#include "base/mem.h"

enum { GENERATE_PREFIX_MAX = 58, GENERATE_TRIES = 8 };

static json_t *metadata_of(const json_t *object)
{
    return json_object_get(object, "metadata");
}

static void set_string(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, json_string(text));
}

/* Takes key from where it is set, or removes it. */
static void carry_over(json_t *to, const json_t *from, const char *key)
{
    json_t *value = json_object_get(from, key);
    if (value)
        json_object_set(to, key, value);
    else
        json_object_del(to, key);
}

static int not_found(const kind_t *kind, const char *name, err_t *err)
{
    return err_set(err, ERR_NOT_FOUND, "%s \"%s\" not found", kind_qualified(kind), name);
}

/* ---- create ------------------------------------------------------------------------------- */

static int forbidden(const kind_t *kind, const json_t *metadata, const char *why, err_t *err)
{
    const char *name = object_string(metadata, "name");
    return err_set(err, ERR_FORBIDDEN, "%s \"%s\" is forbidden: %s", kind_qualified(kind),
        *name ? name : object_string(metadata, "generateName"), why);
}

static int check_namespace(store_t *self, const kind_t *wanted, const json_t *metadata, err_t *err)
{
    const kind_t *kind = kind_find("Namespace");
    const char *namespace = object_string(metadata, "namespace");
    const json_t *found = store_get(self, kind, NULL, namespace);
    if (!found)
        return not_found(kind, namespace, err);
    if (!object_is_deleted(found))
        return 0;
    AUTO_FREE char *why = xasprintf(
        "unable to create new content in namespace %s because it is being terminated", namespace);
    return forbidden(wanted, metadata, why, err);
}

static void generate_name(store_t *self, const kind_t *kind, json_t *metadata)
{
    char suffix[RANDOM_SUFFIX_SIZE];
    const char *prefix = object_string(metadata, "generateName");
    const char *namespace = object_string(metadata, "namespace");
    if (*object_string(metadata, "name") || !*prefix)
        return;
    for (int i = 0; i < GENERATE_TRIES; i++) {
        random_suffix(&self->random, suffix);
        AUTO_FREE char *name = xasprintf("%.*s%s", GENERATE_PREFIX_MAX, prefix, suffix);
        set_string(metadata, "name", name);
        if (!store_get(self, kind, namespace, name))
            return;
    }
}

static int prepare(store_t *self, const kind_t *kind, json_t *object, err_t *err)
{
    json_t *metadata = metadata_of(object);
    set_string(object, "kind", kind->name);
    set_string(object, "apiVersion", kind_api_version(kind));
    if (!kind->is_namespaced)
        json_object_del(metadata, "namespace");
    else if (!*object_string(metadata, "namespace"))
        set_string(metadata, "namespace", "default");
    int rc = kind->is_namespaced ? check_namespace(self, kind, metadata, err) : 0;
    if (rc < 0)
        return rc;
    generate_name(self, kind, metadata);
    const char *name = object_string(metadata, "name");
    if (!*name)
        return err_set(err, ERR_INVALID, "name or generateName is required");
    if (store_get(self, kind, object_string(metadata, "namespace"), name))
        return err_set(err, ERR_EXISTS, "%s \"%s\" already exists", kind_qualified(kind), name);
    return 0;
}

int store_prepare_new(
    store_t *self, const kind_t *kind, json_t *object, json_t **next_p, err_t *err)
{
    json_auto_t *next = json_deep_copy(object);
    char uid[RANDOM_UUID_SIZE];
    json_decref(object);
    if (!json_is_object(next))
        return err_set(err, ERR_INVALID, "a %s must be an object", kind->name);
    if (!json_is_object(metadata_of(next)))
        json_object_set_new(next, "metadata", json_object());
    int rc = prepare(self, kind, next, err);
    if (rc < 0)
        return rc;
    json_t *metadata = metadata_of(next);
    random_uuid(&self->random, uid);
    set_string(metadata, "uid", uid);
    json_object_set_new(metadata, "creationTimestamp", object_time_now());
    json_object_del(metadata, "deletionTimestamp");
    json_object_del(metadata, "deletionGracePeriodSeconds");
    json_object_del(metadata, "selfLink");
    json_object_del(metadata, "generation");
    json_object_del(metadata, "resourceVersion");
    if (kind->has_generation)
        json_object_set_new(metadata, "generation", json_integer(1));
    if (kind->fill)
        kind->fill(self, next, NULL);
    err_t why = {0};
    if (kind->admit && kind->admit(self, next, &why) < 0)
        return forbidden(kind, metadata, why.text, err);
    *next_p = TAKE(next);
    return 0;
}

int store_create(store_t *self, const kind_t *kind, json_t *object, json_t **stored_p, err_t *err)
{
    json_t *prepared;
    int rc = store_prepare_new(self, kind, object, &prepared, err);
    json_auto_t *next = rc < 0 ? NULL : prepared;
    rc = rc < 0 ? rc : admission_check(self, kind, next, NULL, NULL, err);
    if (rc < 0)
        return rc;
    version_t *version = store_commit(self, STORE_ADDED, kind, json_incref(next));
    if (stored_p)
        *stored_p = version->object;
    return 0;
}

/* ---- update ------------------------------------------------------------------------------- */

static int conflict(const kind_t *kind, const char *name, const char *why, err_t *err)
{
    return err_set(err, ERR_STATE, "Operation cannot be fulfilled on %s \"%s\": %s",
        kind_qualified(kind), name, why);
}

static int check_preconditions(const kind_t *kind, const json_t *old, const char *uid,
    const char *resource_version, err_t *err)
{
    const char *old_version = object_string(old, "metadata.resourceVersion");
    if (*uid && strcmp(uid, object_uid(old)) != 0) {
        AUTO_FREE char *why = xasprintf("Precondition failed: UID in precondition: %s, UID in "
                                        "object meta: %s",
            uid, object_uid(old));
        return conflict(kind, object_name(old), why, err);
    }
    /* "0" means any version, as in a real server */
    if (*resource_version && strcmp(resource_version, "0") != 0
        && strcmp(resource_version, old_version) != 0)
        return conflict(kind, object_name(old),
            "the object has been modified; please apply your changes to the latest version and "
            "try again",
            err);
    return 0;
}

/* The old object with only its status replaced. */
static json_t *with_status(const json_t *old, const json_t *object)
{
    json_t *next = object_copy(old, "metadata");
    carry_over(next, object, "status");
    return next;
}

/* The new object with what no client may change taken from the old one. */
static json_t *with_spec(
    store_t *self, const kind_t *kind, const json_t *old, const json_t *object, store_part_t part)
{
    static const char *const kept[] = {"name", "namespace", "uid", "creationTimestamp",
        "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "generateName", "selfLink",
        "resourceVersion"};
    json_t *next = json_deep_copy(object);
    json_t *metadata = metadata_of(next);
    for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
        carry_over(metadata, metadata_of(old), kept[i]);
    carry_over(next, old, "kind");
    carry_over(next, old, "apiVersion");
    if (kind->has_status && !(part & STORE_STATUS))
        carry_over(next, old, "status");
    if (kind->fill)
        kind->fill(self, next, old);
    return next;
}

/* Whether anything but metadata and a status of its own differs. */
static bool is_spec_changed(const kind_t *kind, const json_t *old, json_t *next)
{
    const char *key;
    json_t *value;
    if (json_object_size(old) != json_object_size(next))
        return true;
    json_object_foreach(next, key, value)
    {
        bool is_status = kind->has_status && !strcmp(key, "status");
        if (strcmp(key, "metadata") != 0 && !is_status
            && !json_equal(value, json_object_get(old, key)))
            return true;
    }
    return false;
}

/* A namespace is held by spec.finalizers, everything else by metadata.finalizers. */
static bool has_finalizers(const json_t *object)
{
    return json_array_size(object_at(object, "metadata.finalizers"))
           || json_array_size(object_at(object, "spec.finalizers"));
}

/* Whether an object that is to go must still wait for a finalizer or for its kubelet. */
static bool is_held(const json_t *object)
{
    return has_finalizers(object)
           || object_integer(object, "metadata.deletionGracePeriodSeconds", 0) > 0;
}

int store_prepare_change(store_t *self, const kind_t *kind, json_t *object, store_part_t part,
    json_t **next_p, err_t *err)
{
    json_auto_t *given = object;
    json_t *old = store_get(self, kind, object_namespace(given), object_name(given));
    *next_p = NULL;
    if (!old)
        return not_found(kind, object_name(given), err);
    int rc = check_preconditions(
        kind, old, object_uid(given), object_string(given, "metadata.resourceVersion"), err);
    if (rc < 0)
        return rc;
    json_auto_t *next =
        part == STORE_STATUS ? with_status(old, given) : with_spec(self, kind, old, given, part);
    set_string(
        metadata_of(next), "resourceVersion", object_string(old, "metadata.resourceVersion"));
    if (json_equal(next, old))
        return 0;
    if (kind->has_generation && part != STORE_STATUS && is_spec_changed(kind, old, next))
        json_object_set_new(metadata_of(next), "generation",
            json_integer(object_integer(old, "metadata.generation", 0) + 1));
    *next_p = TAKE(next);
    return 0;
}

version_t *store_finish_change(store_t *self, const kind_t *kind, json_t *next)
{
    bool is_gone = object_is_deleted(next) && !is_held(next);
    return store_commit(self, is_gone ? STORE_DELETED : STORE_MODIFIED, kind, next);
}

int store_update(store_t *self, const kind_t *kind, json_t *object, store_part_t part, err_t *err)
{
    json_t *next;
    int rc = store_prepare_change(self, kind, object, part, &next, err);
    if (rc == 0 && next)
        store_finish_change(self, kind, next);
    return rc;
}

/* ---- delete ------------------------------------------------------------------------------- */

/* How long a pod on a node is left to end by itself; 0 for everything else. */
static int64_t grace_of(const kind_t *kind, const json_t *object, const store_delete_t *options)
{
    const char *phase = object_string(object, "status.phase");
    if (!kind_is(kind, "Pod") || !*object_string(object, "spec.nodeName")
        || !strcmp(phase, "Succeeded") || !strcmp(phase, "Failed"))
        return 0;
    int64_t wanted = options->grace_seconds;
    if (wanted < 0)
        wanted = object_integer(object, "spec.terminationGracePeriodSeconds", 30);
    int64_t running = object_integer(object, "metadata.deletionGracePeriodSeconds", wanted);
    return wanted < running ? wanted : running;
}

static void add_finalizer(json_t *metadata, const char *name)
{
    size_t i;
    json_t *finalizer;
    json_array_foreach(json_object_get(metadata, "finalizers"), i, finalizer)
    {
        if (!strcmp(json_string_value(finalizer), name))
            return;
    }
    json_t *finalizers = json_copy(json_object_get(metadata, "finalizers"));
    if (!finalizers)
        finalizers = json_array();
    json_array_append_new(finalizers, json_string(name));
    json_object_set_new(metadata, "finalizers", finalizers);
}

typedef struct orphaning {
    store_t *store;
    const kind_t *kind;
    const char *uid;
} orphaning_t;

static void orphan_one(void *arg, json_t *object)
{
    const orphaning_t *self = arg;
    const json_t *references = object_at(object, "metadata.ownerReferences");
    json_auto_t *kept = json_array();
    size_t i;
    json_t *reference;
    json_array_foreach(references, i, reference)
    {
        if (strcmp(object_string(reference, "uid"), self->uid) != 0)
            json_array_append(kept, reference);
    }
    if (json_array_size(kept) == json_array_size(references))
        return;
    json_t *copy = object_copy(object, "metadata");
    if (json_array_size(kept))
        json_object_set(metadata_of(copy), "ownerReferences", kept);
    else
        json_object_del(metadata_of(copy), "ownerReferences");
    (void)store_update(self->store, self->kind, copy, STORE_ALL, NULL); /* it is there */
}

static void orphan_dependents(store_t *self, const json_t *owner)
{
    orphaning_t orphaning = {.store = self, .uid = object_uid(owner)};
    for (size_t i = 0; store_kind_at(self, i); i++) {
        orphaning.kind = store_kind_at(self, i);
        store_each(self, orphaning.kind, NULL, orphan_one, &orphaning);
    }
}

/* Marks an object that others must first let go of; again only to shorten its time. */
static void mark_deleted(
    store_t *self, const kind_t *kind, const json_t *old, json_t *next, int64_t grace)
{
    json_t *metadata = metadata_of(next);
    if (!object_is_deleted(old)
        || grace < object_integer(old, "metadata.deletionGracePeriodSeconds", 0)) {
        json_object_set_new(metadata, "deletionTimestamp", object_time(time(NULL) + grace));
        json_object_set_new(metadata, "deletionGracePeriodSeconds", json_integer(grace));
    }
    if (kind_is(kind, "Namespace")) {
        json_object_set_new(next, "status", json_copy(json_object_get(old, "status")));
        object_set(next, "status.phase", json_string("Terminating"));
    }
    if (json_equal(next, old))
        json_decref(next);
    else
        store_commit(self, STORE_MODIFIED, kind, next);
}

int store_delete(store_t *self, const kind_t *kind, const char *namespace, const char *name,
    const store_delete_t *options, err_t *err)
{
    static const store_delete_t ordinary = {.grace_seconds = -1};
    if (!options)
        options = &ordinary;
    json_auto_t *old = json_incref(store_get(self, kind, namespace, name));
    if (!old)
        return not_found(kind, name, err);
    int rc = check_preconditions(kind, old, options->uid ? options->uid : "",
        options->resource_version ? options->resource_version : "", err);
    if (rc < 0)
        return rc;
    const char *propagation = options->propagation ? options->propagation : "Background";
    if (!strcmp(propagation, "Orphan"))
        orphan_dependents(self, old);
    json_t *next = object_copy(old, "metadata");
    if (!strcmp(propagation, "Foreground"))
        add_finalizer(metadata_of(next), "foregroundDeletion");
    if (kind_is(kind, "CustomResourceDefinition") && !object_is_deleted(old))
        add_finalizer(metadata_of(next), CUSTOM_FINALIZER);
    int64_t grace = grace_of(kind, old, options);
    if (grace > 0 || has_finalizers(next))
        mark_deleted(self, kind, old, next, grace);
    else
        store_commit(self, STORE_DELETED, kind, next);
    return 0;
}

int store_remove(
    store_t *self, const kind_t *kind, const char *namespace, const char *name, err_t *err)
{
    json_t *old = store_get(self, kind, namespace, name);
    if (!old)
        return not_found(kind, name, err);
    store_commit(self, STORE_DELETED, kind, object_copy(old, "metadata"));
    return 0;
}
