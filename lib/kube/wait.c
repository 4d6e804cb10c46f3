/* Waiting for a condition: a watch, a predicate and a deadline. */
#include "kube/kube_internal.h"

#include "base/auto.h"
#include "base/mem.h"

struct kube_wait {
    kube_t *kube; /* borrowed */
    kube_watch_t *watch;
    kube_is_met_fn *is_met;
    void *met_arg;
    kube_wait_fn *on_done;
    void *arg;
    int timer_id;
    int64_t timeout_ms;
    bool is_synced;
};

/* ---- conditions --------------------------------------------------------------------------- */

static json_int_t integer_in(const json_t *object, const char *key, json_int_t otherwise)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

static const char *name_of(const json_t *object)
{
    const char *name =
        json_string_value(json_object_get(json_object_get(object, "metadata"), "name"));
    return name ? name : "";
}

bool kube_deployment_is_ready(const json_t *deployment)
{
    const json_t *metadata = json_object_get(deployment, "metadata");
    const json_t *status = json_object_get(deployment, "status");
    json_int_t wanted = integer_in(json_object_get(deployment, "spec"), "replicas", 1);
    return integer_in(status, "observedGeneration", -1) >= integer_in(metadata, "generation", 0)
           && integer_in(status, "updatedReplicas", 0) == wanted
           && integer_in(status, "replicas", 0) == wanted
           && integer_in(status, "availableReplicas", 0) == wanted;
}

bool kube_pod_is_ready(const json_t *pod)
{
    size_t i = 0;
    const json_t *condition = NULL;
    json_array_foreach(json_object_get(json_object_get(pod, "status"), "conditions"), i, condition)
    {
        const char *type = json_string_value(json_object_get(condition, "type"));
        const char *status = json_string_value(json_object_get(condition, "status"));
        if (type && status && strcmp(type, "Ready") == 0)
            return strcmp(status, "True") == 0
                   && !json_object_get(json_object_get(pod, "metadata"), "deletionTimestamp");
    }
    return false;
}

static bool all_are(
    const json_t *objects, bool (*is_ready)(const json_t *), const char *what, err_t *why)
{
    size_t ready = 0;
    const char *key = NULL;
    const char *culprit = NULL;
    json_t *object = NULL;
    json_object_foreach((json_t *)objects, key, object)
    {
        if (is_ready(object))
            ready++;
        else if (!culprit)
            culprit = name_of(object);
    }
    size_t count = json_object_size(objects);
    if (ready < count)
        (void)err_set(
            why, ERR_TIMEOUT, "%zu of %zu %s are ready, '%s' is not", ready, count, what, culprit);
    else if (count == 0)
        (void)err_set(why, ERR_TIMEOUT, "there are no %s", what);
    return count > 0 && ready == count;
}

bool kube_deployments_are_ready(void *arg, const json_t *deployments, err_t *why)
{
    (void)arg;
    return all_are(deployments, kube_deployment_is_ready, "deployments", why);
}

bool kube_pods_are_ready(void *arg, const json_t *pods, err_t *why)
{
    (void)arg;
    return all_are(pods, kube_pod_is_ready, "pods", why);
}

bool kube_are_gone(void *arg, const json_t *objects, err_t *why)
{
    (void)arg;
    size_t count = json_object_size(objects);
    if (count)
        (void)err_set(why, ERR_TIMEOUT, "%zu are still there", count);
    return count == 0;
}

/* ---- waiting ------------------------------------------------------------------------------ */

static void conclude(kube_wait_t *self, const err_t *err)
{
    ev_cancel(kube_ev(self->kube), self->timer_id);
    self->timer_id = 0;
    kube_watch_end(&self->watch);
    self->on_done(self->arg, err);
}

static void on_change(void *arg, kube_change_t change, json_t *object)
{
    (void)object;
    kube_wait_t *self = arg;
    if (change == KUBE_LOST)
        return;
    self->is_synced = self->is_synced || change == KUBE_SYNCED;
    if (self->is_synced && self->is_met(self->met_arg, kube_watch_objects(self->watch), NULL))
        conclude(self, NULL);
}

static void on_timeout(void *arg)
{
    kube_wait_t *self = arg;
    self->timer_id = 0;
    err_t err = {0};
    if (self->is_synced)
        (void)self->is_met(self->met_arg, kube_watch_objects(self->watch), &err);
    else
        (void)err_set(&err, ERR_TIMEOUT, "the API server did not answer");
    (void)err_wrap(&err, "not within %lld ms", (long long)self->timeout_ms);
    err.code = ERR_TIMEOUT;
    conclude(self, &err);
}

kube_wait_t *kube_wait(kube_t *self, kube_ref_t ref, const char *labels, kube_is_met_fn *is_met,
    void *met_arg, int64_t timeout_ms, kube_wait_fn *on_done, void *arg)
{
    kube_wait_t *wait = xcalloc(1, sizeof(*wait));
    wait->kube = self;
    wait->is_met = is_met;
    wait->met_arg = met_arg;
    wait->on_done = on_done;
    wait->arg = arg;
    wait->timeout_ms = timeout_ms;
    wait->timer_id = ev_after(kube_ev(self), timeout_ms, on_timeout, wait);
    wait->watch = kube_watch(self, ref, labels, NULL, on_change, wait);
    return wait;
}

void kube_wait_end(kube_wait_t **wait_p)
{
    kube_wait_t *self = *wait_p;
    *wait_p = NULL;
    if (!self)
        return;
    ev_cancel(kube_ev(self->kube), self->timer_id);
    kube_watch_end(&self->watch);
    free(self);
}

typedef struct waiting {
    ev_t *ev;
    err_t err;
    bool is_done;
} waiting_t;

static void on_waited(void *arg, const err_t *err)
{
    waiting_t *self = arg;
    self->is_done = true;
    if (err)
        self->err = *err;
    ev_stop(self->ev);
}

int kube_wait_call(kube_t *self, kube_ref_t ref, const char *labels, kube_is_met_fn *is_met,
    void *met_arg, int64_t timeout_ms, err_t *err)
{
    waiting_t waiting = {.ev = kube_ev(self)};
    AUTO(kube_wait_end)
    kube_wait_t *wait =
        kube_wait(self, ref, labels, is_met, met_arg, timeout_ms, on_waited, &waiting);
    ev_run(waiting.ev);
    if (!waiting.is_done)
        return err_set(err, ERR_STATE, "interrupted while waiting");
    return waiting.err.code ? err_set(err, waiting.err.code, "%s", waiting.err.text) : 0;
}
