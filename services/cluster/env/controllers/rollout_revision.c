/* The set that has the deployment's present template, its name and its revision. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/conditions.h"
#include "services/cluster/env/controllers/rollout.h"
#include "services/cluster/env/controllers/template_hash.h"
#include "services/cluster/env/object.h"

#define HISTORY "deployment.kubernetes.io/revision-history"
#define DESIRED "deployment.kubernetes.io/desired-replicas"
#define MAXIMUM "deployment.kubernetes.io/max-replicas"

static const event_source_t source = {"deployment-controller", NULL};

/* ---- annotations -------------------------------------------------------------------------- */

static long revision_of(const json_t *object)
{
    const char *revision = object_annotation(object, REVISION);
    return revision ? strtol(revision, NULL, 10) : 0;
}

static long last_old_revision(const rollout_t *self)
{
    long last = 0;
    size_t i = 0;
    json_t *set = NULL;
    json_array_foreach(self->sets, i, set)
    {
        if (set != self->current && revision_of(set) > last)
            last = revision_of(set);
    }
    return last;
}

/* A set bears its deployment's annotations, but for those with a meaning of their own. */
static bool is_inherited(const char *key)
{
    static const char *const own[] = {"kubectl.kubernetes.io/last-applied-configuration", REVISION,
        HISTORY, DESIRED, MAXIMUM, "deprecated.deployment.rollback.to"};
    for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
        if (strcmp(key, own[i]) == 0)
            return false;
    }
    return true;
}

static void inherit(json_t *annotations, const json_t *deployment)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(object_at(deployment, "metadata.annotations"), key, value)
    {
        if (is_inherited(key))
            json_object_set(annotations, key, value);
    }
}

/* Gives a set a higher revision, noting the one it had. */
static void raise_revision(json_t *annotations, long revision)
{
    const char *had = json_string_value(json_object_get(annotations, REVISION));
    if (had && strtol(had, NULL, 10) >= revision)
        return;
    if (had) {
        const char *history = json_string_value(json_object_get(annotations, HISTORY));
        json_object_set_new(
            annotations, HISTORY, history ? json_sprintf("%s,%s", history, had) : json_string(had));
    }
    json_object_set_new(annotations, REVISION, json_sprintf("%ld", revision));
}

/* Writes the current set's revision on the deployment. */
static void put_revision(rollout_t *self)
{
    const char *revision = object_annotation(self->current, REVISION);
    const char *known = object_annotation(self->deployment, REVISION);
    if (!revision || (known && strcmp(known, revision) == 0))
        return;
    json_t *copy = object_copy(self->deployment, "metadata.annotations");
    json_object_set_new(object_at(copy, "metadata.annotations"), REVISION, json_string(revision));
    (void)store_update(self->store, kind_find("Deployment"), copy, STORE_SPEC, NULL);
    rollout_reload(self);
}

/* ---- the current set ---------------------------------------------------------------------- */

static void refresh(rollout_t *self)
{
    json_t *copy = object_copy(self->current, "metadata.annotations");
    json_t *annotations = object_at(copy, "metadata.annotations");
    inherit(annotations, self->deployment);
    raise_revision(annotations, last_old_revision(self) + 1);
    json_t *wait = object_at(self->deployment, "spec.minReadySeconds");
    if (wait) {
        json_t *spec = json_copy(json_object_get(copy, "spec"));
        json_object_set(spec, "minReadySeconds", wait);
        json_object_set_new(copy, "spec", spec);
    }
    (void)store_update(self->store, kind_find("ReplicaSet"), copy, STORE_SPEC, NULL);
    rollout_reload(self);
    const json_t *conditions = object_at(self->deployment, "status.conditions");
    if (self->current && rollout_has_deadline(self) && !condition_find(conditions, "Progressing")) {
        AUTO_FREE char *message =
            xasprintf("Found new replica set \"%s\"", object_name(self->current));
        (void)rollout_set_progress(self, "True", "FoundNewReplicaSet", message);
    }
}

static json_t *new_set(const rollout_t *self, const char *hash, int64_t replicas)
{
    const json_t *spec = json_object_get(self->deployment, "spec");
    json_t *template = object_copy(json_object_get(spec, "template"), "metadata.labels");
    json_object_set_new(
        object_at(template, "metadata.labels"), "pod-template-hash", json_string(hash));
    json_t *selector = object_copy(json_object_get(spec, "selector"), "matchLabels");
    json_object_set_new(
        json_object_get(selector, "matchLabels"), "pod-template-hash", json_string(hash));
    json_t *annotations = json_object();
    inherit(annotations, self->deployment);
    raise_revision(annotations, last_old_revision(self) + 1);
    json_object_set_new(
        annotations, DESIRED, json_sprintf("%lld", (long long)rollout_wanted(self)));
    json_object_set_new(annotations, MAXIMUM,
        json_sprintf("%lld", (long long)(rollout_wanted(self) + rollout_max_surge(self))));
    json_t *labels = json_incref(object_at(template, "metadata.labels"));
    json_t *set_spec = json_pack(
        "{s:I, s:o, s:o}", "replicas", replicas, "selector", selector, "template", template);
    if (json_object_get(spec, "minReadySeconds"))
        json_object_set(set_spec, "minReadySeconds", json_object_get(spec, "minReadySeconds"));
    return json_pack("{s:{s:o, s:s, s:o, s:o, s:[o]}, s:o}", "metadata", "name",
        json_sprintf("%s-%s", object_name(self->deployment), hash), "namespace",
        object_namespace(self->deployment), "labels", labels, "annotations", annotations,
        "ownerReferences", object_owner_reference(self->deployment), "spec", set_spec);
}

/* The name is taken by a set with another template: the next hash will differ. */
static void count_collision(rollout_t *self)
{
    json_t *copy = object_copy(self->deployment, "status");
    object_set(copy, "status.collisionCount",
        json_integer(object_integer(copy, "status.collisionCount", 0) + 1));
    (void)store_update(self->store, kind_find("Deployment"), copy, STORE_STATUS, NULL);
}

static void make(rollout_t *self)
{
    char hash[TEMPLATE_HASH_SIZE];
    template_hash(object_at(self->deployment, "spec.template"),
        object_integer(self->deployment, "status.collisionCount", 0), hash);
    int64_t replicas = rollout_first_replicas(self);
    json_t *set = new_set(self, hash, replicas);
    AUTO_FREE char *name = xstrdup(object_name(set));
    err_t err = {0};
    int rc = store_create(self->store, kind_find("ReplicaSet"), set, NULL, &err);
    if (rc == -ERR_EXISTS) {
        count_collision(self);
        return;
    }
    if (rc < 0) {
        AUTO_FREE char *message =
            xasprintf("Failed to create new replica set \"%s\": %s", name, err.text);
        (void)rollout_set_progress(self, "False", "ReplicaSetCreateError", message);
        event_record(self->store, source, self->deployment, NULL, "Warning",
            "ReplicaSetCreateError", "%s", message);
        return;
    }
    if (replicas > 0)
        event_record(self->store, source, self->deployment, NULL, "Normal", "ScalingReplicaSet",
            "Scaled up replica set %s to %lld", name, (long long)replicas);
    rollout_reload(self);
    if (rollout_has_deadline(self)) {
        AUTO_FREE char *message = xasprintf("Created new replica set \"%s\"", name);
        (void)rollout_set_progress(self, "True", "NewReplicaSetCreated", message);
    }
}

void rollout_ensure_current(rollout_t *self, bool is_making)
{
    if (self->current)
        refresh(self);
    else if (is_making)
        make(self);
    if (self->current)
        put_revision(self);
}

/* ---- history ------------------------------------------------------------------------------ */

static bool is_spent(const json_t *set)
{
    return set_wanted(set) == 0 && object_integer(set, "status.replicas", 0) == 0
           && !object_is_deleted(set)
           && object_integer(set, "metadata.generation", 0)
                  <= object_integer(set, "status.observedGeneration", 0);
}

static json_t *oldest_spent(const rollout_t *self)
{
    json_t *oldest = NULL;
    size_t i = 0;
    json_t *set = NULL;
    json_array_foreach(self->sets, i, set)
    {
        if (set != self->current && is_spent(set)
            && (!oldest || revision_of(set) < revision_of(oldest)))
            oldest = set;
    }
    return oldest;
}

void rollout_clean_up(rollout_t *self)
{
    int64_t limit = object_integer(self->deployment, "spec.revisionHistoryLimit", INT32_MAX);
    int64_t old_count = (int64_t)json_array_size(self->sets) - (self->current ? 1 : 0);
    for (; old_count > limit; old_count--) {
        const json_t *set = oldest_spent(self);
        if (!set)
            return;
        (void)store_delete(self->store, kind_find("ReplicaSet"), object_namespace(set),
            object_name(set), NULL, NULL); /* if it is gone, so much the better */
        rollout_reload(self);
    }
}
