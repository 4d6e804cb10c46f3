/* What a StatefulSet does next.
 *
 * The rules are those of kube-controller-manager 1.30: replicas are made in order and each waits
 * for the one before it to be available (unless the pods are managed in parallel); they are taken
 * away and brought up to date from the last one down. */
#include "services/cluster/env/controllers/stateful.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/owned.h"
#include "services/cluster/env/controllers/pods.h"
#include "services/cluster/env/controllers/revisions.h"
#include "services/cluster/env/controllers/stateful_pod.h"
#include "services/cluster/env/object.h"

#define HASH_LABEL "controller.kubernetes.io/hash"

enum { RETRY_MS = 5000, REPLICAS_MAX = 10000 };

static const event_source_t source = {"statefulset-controller", NULL};

/* ---- looking ------------------------------------------------------------------------------ */

static bool is_ordered(const stateful_t *self)
{
    return strcmp(object_string(self->set, "spec.podManagementPolicy"), "Parallel") != 0;
}

bool stateful_is_rolling(const stateful_t *self)
{
    return strcmp(object_string(self->set, "spec.updateStrategy.type"), "RollingUpdate") == 0;
}

static int64_t first_ordinal(const stateful_t *self)
{
    return object_integer(self->set, "spec.ordinals.start", 0);
}

bool stateful_is_of(const json_t *pod, const json_t *revision)
{
    const char *label = object_label(pod, "controller-revision-hash");
    return label && strcmp(label, object_name(revision)) == 0;
}

static bool is_healthy(const json_t *pod)
{
    return pod && pod_is_ready(pod) && !object_is_deleted(pod);
}

bool stateful_is_available(stateful_t *self, const json_t *pod)
{
    int64_t wait_ms = availability_wait(
        self->availability, pod, object_integer(self->set, "spec.minReadySeconds", 0));
    if (wait_ms > 0 && (!self->wait_ms || wait_ms < self->wait_ms))
        self->wait_ms = wait_ms;
    return wait_ms == 0;
}

static int compare_ordinals(const void *left, const void *right)
{
    const char *a = strrchr(object_name(*(json_t *const *)left), '-');
    const char *b = strrchr(object_name(*(json_t *const *)right), '-');
    long long x = strtoll(a + 1, NULL, 10);
    long long y = strtoll(b + 1, NULL, 10);
    return x < y ? 1 : x > y ? -1 : 0;
}

static void sort_pods(stateful_t *self)
{
    int64_t wanted = object_integer(self->set, "spec.replicas", 1);
    size_t i = 0;
    json_t *pod = NULL;
    self->count = (size_t)(wanted < REPLICAS_MAX ? wanted : REPLICAS_MAX);
    self->replicas = xcalloc(self->count + 1, sizeof(json_t *));
    self->condemned = xcalloc(json_array_size(self->pods) + 1, sizeof(json_t *));
    json_array_foreach(self->pods, i, pod)
    {
        int64_t ordinal = stateful_ordinal(self->set, pod);
        int64_t place = ordinal - first_ordinal(self);
        if (ordinal >= 0 && place >= 0 && place < (int64_t)self->count)
            self->replicas[place] = pod;
        else if (ordinal >= 0)
            self->condemned[self->condemned_count++] = pod;
    }
    qsort(self->condemned, self->condemned_count, sizeof(json_t *), compare_ordinals);
}

static void find_unhealthy(stateful_t *self)
{
    for (size_t i = 0; i < self->count && !self->first_unhealthy; i++) {
        if (self->replicas[i] && !is_healthy(self->replicas[i]))
            self->first_unhealthy = self->replicas[i];
    }
    for (size_t i = self->condemned_count; i > 0 && !self->first_unhealthy; i--) {
        if (!is_healthy(self->condemned[i - 1]))
            self->first_unhealthy = self->condemned[i - 1];
    }
}

bool stateful_init(stateful_t *self, store_t *store, availability_t *availability, json_t *set)
{
    *self = (stateful_t){.store = store, .availability = availability, .set = json_incref(set)};
    self->collisions = object_integer(set, "status.collisionCount", 0);
    self->update = revisions_ensure(store, set, HASH_LABEL, &self->collisions);
    self->current = json_incref(store_get(store, kind_find("ControllerRevision"),
        object_namespace(set), object_string(set, "status.currentRevision")));
    if (!self->current)
        self->current = json_incref(self->update);
    self->pods = owned_claim(store, kind_find("Pod"), set);
    sort_pods(self);
    find_unhealthy(self);
    return self->update != NULL;
}

void stateful_done(stateful_t *self)
{
    json_decref(self->set);
    json_decref(self->current);
    json_decref(self->update);
    json_decref(self->pods);
    free(self->replicas);
    free(self->condemned);
}

/* ---- steps: each returns whether the set must wait before it goes on ---------------------- */

/* Below the partition, and until the first update, a missing pod is made as it was. */
static const json_t *revision_for(const stateful_t *self, size_t place)
{
    const json_t *rolling = object_at(self->set, "spec.updateStrategy.rollingUpdate");
    int64_t kept = rolling ? object_integer(rolling, "partition", 0)
                           : object_integer(self->set, "status.currentReplicas", 0);
    return stateful_is_rolling(self) && (int64_t)place < kept ? self->current : self->update;
}

static bool create(stateful_t *self, size_t place)
{
    int64_t ordinal = first_ordinal(self) + (int64_t)place;
    store_t *store = self->store;
    json_auto_t *pod = stateful_pod(self->set, revision_for(self, place), ordinal);
    err_t err = {0};
    int rc = stateful_claims(store, source, self->set, pod, ordinal, &err);
    if (rc == 0) {
        rc = store_create(store, kind_find("Pod"), json_incref(pod), NULL, &err);
        if (rc < 0)
            event_record(store, source, self->set, NULL, "Warning", "FailedCreate",
                "create Pod %s in StatefulSet %s failed error: %s", object_name(pod),
                object_name(self->set), err.text);
    }
    if (rc < 0) {
        self->wait_ms = RETRY_MS;
        return true;
    }
    event_record(store, source, self->set, NULL, "Normal", "SuccessfulCreate",
        "create Pod %s in StatefulSet %s successful", object_name(pod), object_name(self->set));
    return is_ordered(self);
}

static void delete_pod(stateful_t *self, const json_t *pod)
{
    AUTO_FREE char *name = xstrdup(object_name(pod));
    if (store_delete(self->store, kind_find("Pod"), object_namespace(pod), name, NULL, NULL) == 0)
        event_record(self->store, source, self->set, NULL, "Normal", "SuccessfulDelete",
            "delete Pod %s in StatefulSet %s successful", name, object_name(self->set));
}

static bool mend(stateful_t *self, size_t place)
{
    json_t *pod = self->replicas[place];
    if (!pod)
        return create(self, place);
    if (object_is_deleted(pod))
        return is_ordered(self);
    if (pod_is_ended(pod)) {
        delete_pod(self, pod);
        return true;
    }
    if (strcmp(object_string(pod, "status.phase"), "Pending") == 0)
        (void)stateful_claims(self->store, source, self->set, pod, stateful_ordinal(self->set, pod),
            NULL); /* told by an event */
    return is_ordered(self) && !stateful_is_available(self, pod);
}

static bool condemn(stateful_t *self, const json_t *pod)
{
    if (object_is_deleted(pod))
        return is_ordered(self);
    if (is_ordered(self) && !pod_is_ready(pod) && pod != self->first_unhealthy)
        return true;
    stateful_release_claims(self->store, self->set, pod, stateful_ordinal(self->set, pod));
    delete_pod(self, pod);
    return is_ordered(self);
}

static void roll(stateful_t *self)
{
    int64_t partition = object_integer(self->set, "spec.updateStrategy.rollingUpdate.partition", 0);
    if (!stateful_is_rolling(self))
        return;
    for (size_t i = self->count; i > 0 && (int64_t)i > partition; i--) {
        const json_t *pod = self->replicas[i - 1];
        if (pod && !stateful_is_of(pod, self->update) && !object_is_deleted(pod)) {
            delete_pod(self, pod);
            return;
        }
        if (!is_healthy(pod))
            return;
    }
}

void stateful_act(stateful_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        if (mend(self, i))
            return;
    }
    for (size_t i = 0; i < self->condemned_count; i++) {
        if (condemn(self, self->condemned[i]))
            return;
    }
    roll(self);
}
