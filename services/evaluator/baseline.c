#include "services/evaluator/baseline.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/evaluator/snapshot.h"

enum { CALL_MS = 15 * 1000, AGAIN_MS = 100 };

struct taking {
    ev_t *ev;
    bus_t *bus;
    bus_request_t *request;
    json_t *problem;
    taking_done_fn *on_done;
    void *arg;
    int call;
    int again_timer;
    kube_t *kube;
    snapshot_t *snapshot;
};

static void fail(taking_t *self, const err_t *err)
{
    bus_fail_err(&self->request, err);
    self->on_done(self->arg, self);
}

static void take(void *arg);

static void on_taken(void *arg, const err_t *err, const json_t *snapshot)
{
    taking_t *self = arg;
    if (err) {
        fail(self, err);
        return;
    }
    if (!snapshot_is_answered(snapshot) && bus_request_time_left(self->request) > 0) {
        snapshot_destroy(&self->snapshot); /* the application has yet to begin */
        self->again_timer = ev_after(self->ev, AGAIN_MS, take, self);
        return;
    }
    baseline_t reply = {.baseline = (json_t *)snapshot};
    bus_reply(&self->request, &baseline_type, &reply);
    self->on_done(self->arg, self);
}

static void take(void *arg)
{
    taking_t *self = arg;
    self->again_timer = 0;
    self->snapshot = snapshot_new(self->ev, self->kube, self->problem, on_taken, self);
}

static void on_env(void *arg, const bus_reply_t *reply)
{
    taking_t *self = arg;
    err_t err = reply->err ? *reply->err : (err_t){0};
    self->call = 0;
    if (!err.code) {
        const env_info_t *info = reply->message;
        kube_config_t config = {
            .server = info->server ? info->server : "", .token = info->token, .ca_pem = info->ca};
        self->kube = kube_new(self->ev, &config, &err);
    }
    if (self->kube)
        take(self);
    else
        fail(self, &err);
}

taking_t *taking_new(ev_t *ev, bus_t *bus, bus_request_t **request_p, const baseline_take_t *take,
    taking_done_fn *on_done, void *arg)
{
    taking_t *self = xcalloc(1, sizeof(*self));
    self->ev = ev;
    self->bus = bus;
    self->request = TAKE(*request_p);
    self->problem = json_deep_copy(take->problem);
    self->on_done = on_done;
    self->arg = arg;
    env_get_t message = {take->env};
    bus_call_t call = {
        .target = "cluster", .type = &env_get_type, .message = &message, .timeout_ms = CALL_MS};
    self->call = bus_request(bus, &call, on_env, self);
    return self;
}

void taking_destroy(taking_t **self_p)
{
    taking_t *self = TAKE(*self_p);
    if (!self)
        return;
    if (self->request)
        bus_fail(&self->request, ERR_UNAVAILABLE, "the evaluator goes away");
    bus_cancel(self->bus, self->call);
    ev_cancel(self->ev, self->again_timer);
    snapshot_destroy(&self->snapshot);
    kube_destroy(&self->kube);
    json_decref(self->problem);
    free(self);
}
