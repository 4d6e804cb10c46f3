#include "services/loadgen/load.h"

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "services/loadgen/load_internal.h"

#define BIT(state) (1u << (state))

enum {
    ENV_TIMEOUT_MS = 5000,
    CREATE_MS = 10000,
    START_MS = 15000,
    SILENCE_MS = 15000,
    STOP_MS = 6000
};

static const struct {
    const char *name;
    int64_t limit_ms; /* how long it may last; 0: for ever */
    unsigned next;
} states[LOAD_STATES] = {
    [LOAD_ASKING] = {"asking", ENV_TIMEOUT_MS + 1000,
        BIT(LOAD_CREATING) | BIT(LOAD_STARTING) | BIT(LOAD_OVER)},
    [LOAD_CREATING] = {"creating", CREATE_MS, BIT(LOAD_STARTING) | BIT(LOAD_OVER)},
    [LOAD_STARTING] = {"starting", START_MS,
        BIT(LOAD_RUNNING) | BIT(LOAD_STOPPING) | BIT(LOAD_OVER)},
    [LOAD_RUNNING] = {"running", SILENCE_MS,
        BIT(LOAD_RUNNING) | BIT(LOAD_STOPPING) | BIT(LOAD_OVER)},
    [LOAD_STOPPING] = {"stopping", STOP_MS, BIT(LOAD_OVER)},
    [LOAD_OVER] = {"over", 0, 0},
};

/* ---- states --------------------------------------------------------------------------------- */

static void on_deadline(void *arg)
{
    load_t *self = arg;
    self->deadline = 0;
    AUTO_FREE char *trouble = self->last_pod ? pod_trouble(self->last_pod) : xstrdup("not there");
    if (self->state == LOAD_STOPPING)
        load_end(self, "the worker gave no sum when it was stopped");
    else if (self->state == LOAD_RUNNING)
        load_end(
            self, "no report from pod '%s' for %d s (%s)", self->pod, SILENCE_MS / 1000, trouble);
    else
        load_end(self, "pod '%s' gave no sign of life (%s)", self->pod, trouble);
}

void load_move(load_t *self, load_state_t state)
{
    assert(states[self->state].next & BIT(state));
    if (self->state != state)
        log_info("load.moved", "load=%s from=%s to=%s", self->id, states[self->state].name,
            states[state].name);
    self->state = state;
    ev_cancel(self->context.ev, self->deadline);
    self->deadline = 0;
    if (states[state].limit_ms)
        self->deadline = ev_after(self->context.ev, states[state].limit_ms, on_deadline, self);
}

bool load_is_over(const load_t *self)
{
    return self->state == LOAD_OVER;
}

const char *load_id(const load_t *self)
{
    return self->id;
}

/* ---- the end -------------------------------------------------------------------------------- */

static load_report_t final_report(const load_t *self)
{
    load_report_t report = self->sum;
    report.is_final = true;
    report.reason = self->reason;
    return report;
}

static void answer_all(load_t *self)
{
    load_report_t report = final_report(self);
    AUTO_FREE char *topic = xasprintf("env/%s/load", self->env);
    (void)bus_publish(self->context.bus, topic, &load_report_type, &report); /* best effort */
    for (size_t i = 0; i < self->stop_count; i++)
        bus_reply(&self->stop_requests[i], &load_report_type, &report);
    self->stop_count = 0;
    if (self->start_request)
        bus_fail(&self->start_request, ERR_UNAVAILABLE, "no load in environment '%s': %s",
            self->env, self->reason ? self->reason : "it was stopped");
}

static void on_let_go(void *arg)
{
    load_t *self = arg;
    self->end_timer = 0;
    load_let_go(self);
}

static void on_deleted(void *arg, const kube_answer_t *answer)
{
    load_t *self = arg;
    (void)answer; /* an environment that is gone has no pod either */
    self->end_timer = ev_after(self->context.ev, 0, on_let_go, self);
}

void load_end(load_t *self, const char *reason, ...)
{
    if (self->state == LOAD_OVER)
        return;
    if (reason) {
        char text[512];
        va_list arguments;
        va_start(arguments, reason);
        vsnprintf(text, sizeof(text), reason, arguments);
        va_end(arguments);
        self->reason = xstrdup(text);
    }
    load_move(self, LOAD_OVER);
    log_info("load.ended", "load=%s sent=%lld ok=%lld errors=%lld reason=\"%s\"", self->id,
        (long long)self->sum.sent, (long long)self->sum.ok, (long long)self->sum.errors,
        self->reason ? self->reason : "");
    bus_cancel(self->context.bus, self->env_call);
    bus_unsubscribe(self->context.bus, self->env_subscription);
    self->env_call = self->env_subscription = 0;
    answer_all(self);
    if (self->kube)
        kube_send(self->kube, kube_delete(KUBE("Pod", POD_NAMESPACE, self->pod), POD_GRACE_S),
            on_deleted, self);
}

void load_stop(load_t *self, bus_request_t **request_p)
{
    if (self->state == LOAD_OVER) {
        load_report_t report = final_report(self);
        bus_reply(request_p, &load_report_type, &report);
        return;
    }
    if (self->stop_count == STOP_REQUEST_LIMIT) {
        bus_refuse(request_p, STOP_MS, "it is being stopped");
        return;
    }
    self->stop_requests[self->stop_count++] = TAKE(*request_p);
    if (self->state == LOAD_STARTING || self->state == LOAD_RUNNING)
        load_stop_pod(self);
}

void load_stop_pod(load_t *self)
{
    load_move(self, LOAD_STOPPING);
    kube_send(
        self->kube, kube_delete(KUBE("Pod", POD_NAMESPACE, self->pod), POD_GRACE_S), NULL, NULL);
}

/* ---- the beginning -------------------------------------------------------------------------- */

static void on_created(void *arg, const kube_answer_t *answer)
{
    load_t *self = arg;
    if (self->state != LOAD_CREATING)
        return;
    if (answer->err) {
        load_end(self, "cannot create pod '%s': %s", self->pod, answer->err->text);
        return;
    }
    load_move(self, LOAD_STARTING);
    load_watch_pod(self);
}

static void on_env_state(void *arg, const bus_event_t *event)
{
    load_t *self = arg;
    if (event->type != &env_info_type)
        return;
    const env_info_t *info = event->message;
    bool is_gone = strcmp(info->state, "gone") == 0 || strcmp(info->state, "failed") == 0
                   || strcmp(info->state, "deleting") == 0;
    if (is_gone && strcmp(info->env, self->env) == 0)
        load_end(self, "environment '%s' is %s%s%s", self->env, info->state,
            info->reason ? ": " : "", info->reason ? info->reason : "");
}

static void on_env(void *arg, const bus_reply_t *reply)
{
    load_t *self = arg;
    self->env_call = 0;
    if (reply->err) {
        load_end(self, "%s", reply->err->text);
        return;
    }
    const env_info_t *info = reply->message;
    err_t err = {0};
    kube_config_t config = {.server = info->server, .token = info->token, .ca_pem = info->ca};
    self->kube = info->server ? kube_new(self->context.ev, &config, &err) : NULL;
    if (!self->kube) {
        load_end(
            self, "environment '%s' (%s) has no API server: %s", self->env, info->state, err.text);
        return;
    }
    AUTO_FREE char *topic = xasprintf("env/%s/state", self->env);
    self->env_subscription = bus_subscribe(self->context.bus, topic, on_env_state, self);
    if (self->manifest) {
        load_move(self, LOAD_CREATING);
        kube_send(self->kube, kube_create(self->manifest), on_created, self);
    } else {
        load_move(self, LOAD_STARTING);
        load_watch_pod(self);
    }
}

static void begin(load_t *self)
{
    self->id = xasprintf("%s/%s", self->env, self->pod);
    self->sum.load = self->id;
    self->sum.env = self->env;
    self->deadline = ev_after(self->context.ev, states[LOAD_ASKING].limit_ms, on_deadline, self);
    env_get_t message = {.env = self->env};
    bus_call_t call = {.target = "cluster",
        .type = &env_get_type,
        .message = &message,
        .timeout_ms = ENV_TIMEOUT_MS};
    self->env_call = bus_request(self->context.bus, &call, on_env, self);
}

load_t *load_start(
    const load_context_t *context, const load_start_t *plan, bus_request_t **request_p)
{
    load_t *self = xcalloc(1, sizeof(*self));
    self->context = *context;
    self->env = xstrdup(plan->env);
    self->start_request = TAKE(*request_p);
    pod_name(self->pod);
    self->manifest = pod_manifest(self->pod, plan);
    begin(self);
    return self;
}

load_t *load_resume(const load_context_t *context, const char *id)
{
    const char *slash = strchr(id, '/');
    if (!slash || slash == id || !slash[1] || strlen(slash + 1) >= POD_NAME_SIZE)
        return NULL;
    load_t *self = xcalloc(1, sizeof(*self));
    self->context = *context;
    self->env = xstrndup(id, (size_t)(slash - id));
    snprintf(self->pod, sizeof(self->pod), "%s", slash + 1);
    begin(self);
    return self;
}

void load_destroy(load_t **self_p)
{
    load_t *self = *self_p;
    if (!self)
        return;
    int timers[] = {self->deadline, self->retry, self->lost, self->end_timer};
    for (size_t i = 0; i < ARRAY_SIZE(timers); i++)
        ev_cancel(self->context.ev, timers[i]);
    bus_cancel(self->context.bus, self->env_call);
    bus_unsubscribe(self->context.bus, self->env_subscription);
    if (self->start_request)
        bus_fail(&self->start_request, ERR_UNAVAILABLE, "loadgen is ending");
    while (self->stop_count > 0)
        bus_fail(&self->stop_requests[--self->stop_count], ERR_UNAVAILABLE, "loadgen is ending");
    load_let_go(self);
    json_decref(self->manifest);
    json_decref(self->last_pod);
    free(self->reason);
    free(self->env);
    free(self->id);
    free(self);
    *self_p = NULL;
}
