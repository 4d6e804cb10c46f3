#include "services/evaluator/original.h"

#include "base/auto.h"
#include "base/mem.h"
#include "kube/kube.h"

#include <string.h>

enum { CALL_MS = 15 * 1000, LOOK_EVERY_MS = 5000, LOOK_MS = 60 * 1000 };

struct original {
    ev_t *ev;
    bus_t *bus;
    json_t *problem;
    original_done_fn *on_done;
    void *arg;
    int64_t began_ms;
    int call;
    int timer;
    kube_t *kube;
    int request;
    bool is_mitigated;
    err_t err;
};

static void on_end(void *arg)
{
    original_t *self = arg;
    self->timer = 0;
    self->on_done(self->arg, self->err.code ? &self->err : NULL, self->is_mitigated);
}

static void end(original_t *self, bool is_mitigated)
{
    self->is_mitigated = is_mitigated;
    self->timer = ev_after(self->ev, 0, on_end, self);
}

static const char *rule_of(const original_t *self)
{
    const char *rule =
        json_string_value(json_object_get(json_object_get(self->problem, "expected"), "original"));
    return rule ? rule : "all_pods";
}

static const char *namespace_of(const original_t *self)
{
    return json_string_value(json_object_get(self->problem, "namespace"));
}

static const char *target_of(const original_t *self)
{
    const json_t *fault = json_array_get(json_object_get(self->problem, "faults"), 0);
    return json_string_value(json_array_get(json_object_get(fault, "targets"), 0));
}

static void on_deployment(void *arg, const kube_answer_t *answer)
{
    original_t *self = arg;
    self->request = 0;
    end(self, !answer->err && original_command_is(answer->object, target_of(self)));
}

static void look(void *arg);

static void on_pods(void *arg, const kube_answer_t *answer)
{
    original_t *self = arg;
    self->request = 0;
    bool is_passed = !answer->err && original_pods_pass(rule_of(self), answer->object);
    bool may_wait =
        strcmp(rule_of(self), "wait_ready") == 0 && ev_now(self->ev) - self->began_ms < LOOK_MS;
    bool is_command = strcmp(rule_of(self), "pods_and_command") == 0 && target_of(self);
    if (is_passed && is_command)
        self->request = kube_send(self->kube,
            kube_get(KUBE("Deployment", namespace_of(self), target_of(self))), on_deployment, self);
    else if (is_passed || !may_wait)
        end(self, is_passed);
    else
        self->timer = ev_after(self->ev, LOOK_EVERY_MS, look, self);
}

static void look(void *arg)
{
    original_t *self = arg;
    self->timer = 0;
    self->request = kube_send(
        self->kube, kube_list(KUBE("Pod", namespace_of(self), NULL), NULL, NULL), on_pods, self);
}

static void on_env(void *arg, const bus_reply_t *reply)
{
    original_t *self = arg;
    self->call = 0;
    self->err = reply->err ? *reply->err : (err_t){0};
    if (!self->err.code) {
        const env_info_t *info = reply->message;
        kube_config_t config = {
            .server = info->server ? info->server : "", .token = info->token, .ca_pem = info->ca};
        self->kube = kube_new(self->ev, &config, &self->err);
    }
    if (self->kube)
        look(self);
    else
        end(self, false);
}

original_t *original_new(
    ev_t *ev, bus_t *bus, const session_judge_t *judge, original_done_fn *on_done, void *arg)
{
    original_t *self = xcalloc(1, sizeof(*self));
    self->ev = ev;
    self->bus = bus;
    self->problem = json_deep_copy(judge->problem);
    self->on_done = on_done;
    self->arg = arg;
    self->began_ms = ev_now(ev);
    env_get_t message = {judge->env};
    bus_call_t call = {
        .target = "cluster", .type = &env_get_type, .message = &message, .timeout_ms = CALL_MS};
    self->call = bus_request(bus, &call, on_env, self);
    return self;
}

void original_destroy(original_t **self_p)
{
    original_t *self = TAKE(*self_p);
    if (!self)
        return;
    bus_cancel(self->bus, self->call);
    ev_cancel(self->ev, self->timer);
    kube_destroy(&self->kube);
    json_decref(self->problem);
    free(self);
}
