#include "services/evaluator/readiness.h"

#include "base/auto.h"
#include "base/mem.h"

struct readiness {
    char *namespace;
    json_t *deployments_wanted; /* names */
    readiness_fn *on_look;
    void *arg;
    kube_watch_t *deployments, *pods;
    bool has_deployments, has_pods; /* the first lists have come */
};

/* Why a Deployment does not count as ready; NULL if it does. */
static const char *deployment_fault(const json_t *deployment, bool *is_hopeless_p)
{
    json_t *replicas = json_object_get(json_object_get(deployment, "spec"), "replicas");
    bool is_zero = replicas && json_integer_value(replicas) < 1;
    if (!deployment || is_zero) {
        *is_hopeless_p = true;
        return deployment ? "is scaled to zero" : "is not there";
    }
    return kube_deployment_is_ready(deployment) ? NULL : "is not ready";
}

static void find_unready_deployments(const readiness_t *self, json_t *unready, bool *is_hopeless_p)
{
    const json_t *there = kube_watch_objects(self->deployments);
    size_t i;
    json_t *item;
    json_array_foreach(self->deployments_wanted, i, item)
    {
        const char *name = json_string_value(item);
        AUTO_FREE char *key = xasprintf("%s/%s", self->namespace, name);
        const char *fault = deployment_fault(json_object_get(there, key), is_hopeless_p);
        AUTO_FREE char *shown = xasprintf("deployment/%s", name);
        if (fault)
            json_object_set_new(unready, shown, json_string(fault));
    }
}

static bool is_pod_well(const json_t *pod)
{
    const char *phase = json_string_value(json_object_get(json_object_get(pod, "status"), "phase"));
    bool is_going = json_object_get(json_object_get(pod, "metadata"), "deletionTimestamp") != NULL;
    return is_going || (phase && strcmp(phase, "Succeeded") == 0) || kube_pod_is_ready(pod);
}

static void find_unready_pods(const readiness_t *self, json_t *unready)
{
    const char *key;
    json_t *pod;
    json_object_foreach((json_t *)kube_watch_objects(self->pods), key, pod)
    {
        const char *slash = strchr(key, '/');
        AUTO_FREE char *shown = xasprintf("pod/%s", slash ? slash + 1 : key);
        if (!is_pod_well(pod))
            json_object_set_new(unready, shown, json_string("is not ready"));
    }
}

void readiness_look(readiness_t *self)
{
    if (!self->has_deployments || !self->has_pods)
        return;
    json_t *unready = json_object();
    bool is_hopeless = false;
    find_unready_deployments(self, unready, &is_hopeless);
    find_unready_pods(self, unready);
    self->on_look(self->arg, unready, is_hopeless);
    json_decref(unready);
}

/* Whether a pod's owner is a ReplicaSet of the Deployment: it is called NAME-HASH. */
static bool is_of(const json_t *pod, const char *deployment)
{
    const json_t *owners = json_object_get(json_object_get(pod, "metadata"), "ownerReferences");
    const char *owner = json_string_value(json_object_get(json_array_get(owners, 0), "name"));
    const char *hash = owner ? strrchr(owner, '-') : NULL;
    size_t length = strlen(deployment);
    return hash && (size_t)(hash - owner) == length && strncmp(owner, deployment, length) == 0;
}

json_t *readiness_pods_of(const readiness_t *self, const json_t *deployments)
{
    json_t *names = json_array();
    size_t i;
    json_t *deployment;
    const char *key;
    json_t *pod;
    json_array_foreach((json_t *)deployments, i, deployment)
    {
        json_object_foreach((json_t *)kube_watch_objects(self->pods), key, pod)
        {
            const char *slash = strchr(key, '/');
            if (slash && is_of(pod, json_string_value(deployment)))
                json_array_append_new(names, json_string(slash + 1));
        }
    }
    return names;
}

bool readiness_has_pod(const readiness_t *self, const char *name)
{
    AUTO_FREE char *key = xasprintf("%s/%s", self->namespace, name);
    return json_object_get(kube_watch_objects(self->pods), key) != NULL;
}

static void on_deployment(void *arg, kube_change_t change, json_t *object)
{
    readiness_t *self = arg;
    (void)object;
    self->has_deployments = self->has_deployments || change == KUBE_SYNCED;
    if (change != KUBE_LOST)
        readiness_look(self);
}

static void on_pod(void *arg, kube_change_t change, json_t *object)
{
    readiness_t *self = arg;
    (void)object;
    self->has_pods = self->has_pods || change == KUBE_SYNCED;
    if (change != KUBE_LOST)
        readiness_look(self);
}

readiness_t *readiness_new(
    kube_t *kube, const char *namespace, json_t *deployments, readiness_fn *on_look, void *arg)
{
    readiness_t *self = xcalloc(1, sizeof(*self));
    self->namespace = xstrdup(namespace);
    self->deployments_wanted = json_incref(deployments);
    self->on_look = on_look;
    self->arg = arg;
    self->deployments =
        kube_watch(kube, KUBE("Deployment", namespace, NULL), NULL, NULL, on_deployment, self);
    self->pods = kube_watch(kube, KUBE("Pod", namespace, NULL), NULL, NULL, on_pod, self);
    return self;
}

void readiness_destroy(readiness_t **self_p)
{
    readiness_t *self = TAKE(*self_p);
    if (!self)
        return;
    kube_watch_end(&self->deployments);
    kube_watch_end(&self->pods);
    json_decref(self->deployments_wanted);
    free(self->namespace);
    free(self);
}
