#include "services/cluster/env/controllers/rollout.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/owned.h"
#include "services/cluster/env/object.h"

static const event_source_t source = {"deployment-controller", NULL};

/* ---- reading ------------------------------------------------------------------------------ */

/* Whether a set's template is the deployment's, but for the hash in its labels. */
static bool is_current(const json_t *set, const json_t *deployment)
{
    json_auto_t *template = object_copy(object_at(set, "spec.template"), "metadata.labels");
    json_object_del(object_at(template, "metadata.labels"), "pod-template-hash");
    return json_equal(template, object_at(deployment, "spec.template"));
}

static json_t *find_current(const rollout_t *self)
{
    size_t i = 0;
    json_t *set = NULL;
    json_array_foreach(self->sets, i, set)
    {
        if (is_current(set, self->deployment))
            return set;
    }
    return NULL;
}

static bool load(rollout_t *self, const char *namespace, const char *name)
{
    json_t *deployment = store_get(self->store, kind_find("Deployment"), namespace, name);
    if (!deployment)
        return false;
    self->deployment = json_incref(deployment);
    self->sets = owned_claim(self->store, kind_find("ReplicaSet"), deployment);
    self->current = find_current(self);
    return true;
}

bool rollout_init(rollout_t *self, store_t *store, const char *namespace, const char *name)
{
    *self = (rollout_t){.store = store};
    return load(self, namespace, name);
}

void rollout_done(rollout_t *self)
{
    json_decref(self->deployment);
    json_decref(self->sets);
    *self = (rollout_t){.store = self->store};
}

void rollout_reload(rollout_t *self)
{
    rollout_t old = *self;
    bool is_there = load(self, object_namespace(old.deployment), object_name(old.deployment));
    if (is_there) {
        json_decref(old.deployment);
        json_decref(old.sets);
    }
}

/* ---- numbers ------------------------------------------------------------------------------ */

int64_t rollout_wanted(const rollout_t *self)
{
    return object_integer(self->deployment, "spec.replicas", 1);
}

int64_t set_wanted(const json_t *set)
{
    return object_integer(set, "spec.replicas", 1);
}

bool rollout_is_rolling(const rollout_t *self)
{
    return strcmp(object_string(self->deployment, "spec.strategy.type"), "Recreate") != 0;
}

bool rollout_has_deadline(const rollout_t *self)
{
    return json_is_integer(object_at(self->deployment, "spec.progressDeadlineSeconds"));
}

/* A number, or a percentage of the replicas. */
static int64_t share(const rollout_t *self, const char *path, bool is_rounded_up)
{
    const json_t *value = object_at(self->deployment, path);
    if (json_is_integer(value))
        return json_integer_value(value);
    const char *text = json_string_value(value);
    long percent = text ? strtol(text, NULL, 10) : 25;
    return (rollout_wanted(self) * percent + (is_rounded_up ? 99 : 0)) / 100;
}

int64_t rollout_max_surge(const rollout_t *self)
{
    return rollout_is_rolling(self) ? share(self, "spec.strategy.rollingUpdate.maxSurge", true) : 0;
}

int64_t rollout_max_unavailable(const rollout_t *self)
{
    if (!rollout_is_rolling(self) || rollout_wanted(self) == 0)
        return 0;
    int64_t unavailable = share(self, "spec.strategy.rollingUpdate.maxUnavailable", false);
    if (unavailable == 0 && rollout_max_surge(self) == 0)
        unavailable = 1; /* neither more nor less would be a standstill */
    return unavailable < rollout_wanted(self) ? unavailable : rollout_wanted(self);
}

int64_t rollout_sum(const rollout_t *self, const char *path, bool with_current)
{
    int64_t sum = 0;
    size_t i = 0;
    json_t *set = NULL;
    json_array_foreach(self->sets, i, set)
    {
        if (with_current || set != self->current)
            sum += object_integer(set, path, 0);
    }
    return sum;
}

bool rollout_is_complete(const rollout_t *self, const json_t *status)
{
    int64_t wanted = rollout_wanted(self);
    return object_integer(status, "updatedReplicas", 0) == wanted
           && object_integer(status, "replicas", 0) == wanted
           && object_integer(status, "availableReplicas", 0) == wanted
           && object_integer(status, "observedGeneration", 0)
                  >= object_integer(self->deployment, "metadata.generation", 0);
}

/* ---- scaling ------------------------------------------------------------------------------ */

static void annotate(json_t *annotations, const char *key, int64_t value)
{
    json_object_set_new(annotations, key, json_sprintf("%lld", (long long)value));
}

bool rollout_scale_set(rollout_t *self, json_t *set, int64_t replicas)
{
    int64_t before = set_wanted(set);
    json_t *copy = object_copy(set, "metadata.annotations");
    json_t *annotations = object_at(copy, "metadata.annotations");
    annotate(annotations, "deployment.kubernetes.io/desired-replicas", rollout_wanted(self));
    annotate(annotations, "deployment.kubernetes.io/max-replicas",
        rollout_wanted(self) + rollout_max_surge(self));
    json_t *spec = json_copy(json_object_get(set, "spec"));
    json_object_set_new(spec, "replicas", json_integer(replicas));
    json_object_set_new(copy, "spec", spec);
    if (store_update(self->store, kind_find("ReplicaSet"), copy, STORE_SPEC, NULL) < 0)
        return false; /* changed meanwhile: its change brings us back */
    if (before == replicas)
        return false;
    event_record(self->store, source, self->deployment, NULL, "Normal", "ScalingReplicaSet",
        "Scaled %s replica set %s to %lld from %lld", replicas > before ? "up" : "down",
        object_name(set), (long long)replicas, (long long)before);
    return true;
}
