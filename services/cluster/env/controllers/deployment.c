/* Deployment: which replica sets there are, and how large. The steps are in rollout*.c; here is
 * when they are taken. */
#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/controllers/controller.h"
#include "services/cluster/env/controllers/owned.h"
#include "services/cluster/env/controllers/rollout.h"
#include "services/cluster/env/controllers/work_queue.h"
#include "services/cluster/env/object.h"

typedef struct deployments {
    ev_t *ev;
    store_t *store;
    const kind_t *kind;
    const kind_t *set_kind;
    work_queue_t *queue;
    store_watch_t *watch;
    store_watch_t *set_watch;
    store_watch_t *pod_watch;
    zhashx_t *progressed; /* int64_t by uid: when it last came forward, by ev_now() */
} deployments_t;

/* ---- the deadline ------------------------------------------------------------------------- */

static int64_t *progress_mark(deployments_t *self, const json_t *deployment)
{
    int64_t *mark = zhashx_lookup(self->progressed, object_uid(deployment));
    if (!mark) {
        mark = xcalloc(1, sizeof(*mark));
        *mark = ev_now(self->ev);
        zhashx_insert(self->progressed, object_uid(deployment), mark);
    }
    return mark;
}

/* Milliseconds from now to the deadline. */
static int64_t time_left(deployments_t *self, const json_t *deployment)
{
    int64_t deadline_ms = 1000 * object_integer(deployment, "spec.progressDeadlineSeconds", 600);
    return *progress_mark(self, deployment) + deadline_ms - ev_now(self->ev);
}

static const char *progress_reason(const rollout_t *rollout)
{
    return object_string(object_condition(rollout->deployment, "Progressing"), "reason");
}

/* A deployment that waits for something is looked at again when its time is up. */
static void await_deadline(deployments_t *self, const rollout_t *rollout)
{
    const json_t *deployment = rollout->deployment;
    const char *reason = progress_reason(rollout);
    bool is_waiting = rollout_has_deadline(rollout)
                      && !rollout_is_complete(rollout, json_object_get(deployment, "status"))
                      && strcmp(reason, "NewReplicaSetAvailable") != 0
                      && strcmp(reason, "ProgressDeadlineExceeded") != 0;
    int64_t left_ms = time_left(self, deployment);
    if (is_waiting && left_ms > 0)
        work_queue_add_after(
            self->queue, object_namespace(deployment), object_name(deployment), left_ms);
}

/* ---- reconciling ------------------------------------------------------------------------------
 */

static void take_step(deployments_t *self, rollout_t *rollout)
{
    rollout->is_timed_out = time_left(self, rollout->deployment) <= 0;
    bool is_scaled =
        rollout_is_rolling(rollout) ? rollout_roll(rollout) : rollout_recreate(rollout);
    rollout_reload(rollout);
    if (!is_scaled && rollout_is_complete(rollout, json_object_get(rollout->deployment, "status")))
        rollout_clean_up(rollout);
    if (rollout_put_status(rollout, true))
        *progress_mark(self, rollout->deployment) = ev_now(self->ev);
}

static void reconcile_rollout(deployments_t *self, rollout_t *rollout)
{
    if (object_is_deleted(rollout->deployment)) {
        (void)rollout_put_status(rollout, false);
        return;
    }
    AUTO_FREE char *reason = xstrdup(progress_reason(rollout));
    rollout_check_pause(rollout);
    if (object_is_true(rollout->deployment, "spec.paused")) {
        rollout_resize(rollout);
        rollout_clean_up(rollout);
        (void)rollout_put_status(rollout, false);
    } else if (rollout_is_resized(rollout)) {
        rollout_resize(rollout);
        (void)rollout_put_status(rollout, false);
    } else {
        take_step(self, rollout);
    }
    if (strcmp(reason, progress_reason(rollout)) != 0)
        *progress_mark(self, rollout->deployment) = ev_now(self->ev);
    await_deadline(self, rollout);
}

static void reconcile(void *arg, const char *namespace, const char *name)
{
    deployments_t *self = arg;
    rollout_t rollout;
    if (!rollout_init(&rollout, self->store, namespace, name))
        return;
    reconcile_rollout(self, &rollout);
    rollout_done(&rollout);
}

/* ---- changes ------------------------------------------------------------------------------ */

static void on_deployment(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    deployments_t *self = arg;
    (void)kind;
    (void)old;
    if (change == STORE_DELETED)
        zhashx_delete(self->progressed, object_uid(object));
    else
        work_queue_add_object(self->queue, object);
}

static void add_owner(void *arg, json_t *deployment)
{
    work_queue_add_object(((deployments_t *)arg)->queue, deployment);
}

static void on_set(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    deployments_t *self = arg;
    const char *owner = owned_by(object, "Deployment");
    (void)kind;
    (void)old;
    if (owner)
        work_queue_add(self->queue, object_namespace(object), owner);
    else if (!object_controller(object) && change != STORE_DELETED)
        owned_each_match(self->store, self->kind, object, add_owner, self);
}

/* Recreation waits for the last old pod to be gone. */
static void on_pod(
    void *arg, store_change_t change, const kind_t *kind, json_t *object, json_t *old)
{
    deployments_t *self = arg;
    const char *set_name = owned_by(object, "ReplicaSet");
    (void)kind;
    (void)old;
    if (change != STORE_DELETED || !set_name)
        return;
    const json_t *set = store_get(self->store, self->set_kind, object_namespace(object), set_name);
    const char *owner = set ? owned_by(set, "Deployment") : NULL;
    if (owner)
        work_queue_add(self->queue, object_namespace(object), owner);
}

/* ---- life cycle --------------------------------------------------------------------------- */

static void mark_destroy(void **item_p)
{
    free(*item_p);
    *item_p = NULL;
}

static void *open_deployments(const controller_deps_t *deps)
{
    deployments_t *self = xcalloc(1, sizeof(*self));
    self->ev = deps->ev;
    self->store = deps->store;
    self->kind = kind_find("Deployment");
    self->set_kind = kind_find("ReplicaSet");
    self->queue = work_queue_new(deps->ev, reconcile, self);
    self->progressed = zhashx_new();
    zhashx_set_destructor(self->progressed, mark_destroy);
    self->watch = store_watch(deps->store, self->kind, on_deployment, self);
    self->set_watch = store_watch(deps->store, self->set_kind, on_set, self);
    self->pod_watch = store_watch(deps->store, kind_find("Pod"), on_pod, self);
    store_each(deps->store, self->kind, NULL, add_owner, self);
    return self;
}

static void close_deployments(void *arg)
{
    deployments_t *self = arg;
    store_watch_end(&self->watch);
    store_watch_end(&self->set_watch);
    store_watch_end(&self->pod_watch);
    work_queue_destroy(&self->queue);
    zhashx_destroy(&self->progressed);
    free(self);
}

const controller_kind_t controller_deployment = {
    .name = "deployment",
    .open = open_deployments,
    .close = close_deployments,
};
