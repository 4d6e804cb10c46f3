#include "services/injector/active_fault.h"

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"

#define BIT(state) (1U << (state))

enum { ENV_GET_MS = 10 * 1000, UNDONE_MS = 60 * 1000 };

static const char *const names[FAULT_STATES] = {
    [FAULT_NEW] = "injecting", /* on the wire, what is about to be */
    [FAULT_INJECTING] = "injecting",
    [FAULT_ACTIVE] = "active",
    [FAULT_RECOVERING] = "recovering",
    [FAULT_RECOVERED] = "recovered",
    [FAULT_DEAD] = "dead",
    [FAULT_FAILED] = "failed",
};

static const uint8_t allowed[FAULT_STATES] = {
    [FAULT_NEW] = BIT(FAULT_INJECTING) | BIT(FAULT_ACTIVE) | BIT(FAULT_DEAD) | BIT(FAULT_RECOVERING)
                  | BIT(FAULT_RECOVERED) | BIT(FAULT_FAILED),
    [FAULT_INJECTING] = BIT(FAULT_ACTIVE) | BIT(FAULT_FAILED),
    [FAULT_ACTIVE] = BIT(FAULT_DEAD) | BIT(FAULT_RECOVERING),
    [FAULT_RECOVERING] = BIT(FAULT_RECOVERED) | BIT(FAULT_FAILED),
    [FAULT_DEAD] = BIT(FAULT_ACTIVE) | BIT(FAULT_RECOVERING),
    [FAULT_RECOVERED] = 0,
    [FAULT_FAILED] = BIT(FAULT_RECOVERING),
};

bool active_fault_may_move(fault_state_t from, fault_state_t to)
{
    return allowed[from] & BIT(to);
}

/* ---- telling ------------------------------------------------------------------------------ */

static fault_status_t status_of(const active_fault_t *self)
{
    return (fault_status_t){.fault_id = self->record->fault_id,
        .fault = self->record->fault,
        .env = self->record->env,
        .state = names[self->state],
        .reason = self->record->reason,
        .targets = self->record->targets,
        .evidence = self->work.evidence};
}

/* The one function that changes state. */
static void move(active_fault_t *self, fault_state_t state, const char *reason)
{
    assert(active_fault_may_move(self->state, state));
    err_t err = {0};
    AUTO_FREE char *topic = xasprintf("fault/%s/state", self->record->fault_id);
    AUTO_FREE char *kept = xstrdup(reason ? reason : "");
    self->state = state;
    record_set_state(self->record, names[state], kept);
    log_info("fault.moved", "fault=%s kind=%s env=%s state=%s reason=\"%s\"",
        self->record->fault_id, self->record->fault, self->record->env, names[state], kept);
    if (record_save(self->record, &err) < 0)
        log_error("fault.unrecorded", "fault=%s reason=\"%s\"", self->record->fault_id, err.text);
    fault_status_t status = status_of(self);
    /* Who lost the event asks by fault.check. */
    (void)bus_publish(self->bus, topic, &fault_status_type, &status);
}

static void answer(active_fault_t *self, const err_t *err)
{
    fault_demand_t demand = self->demands[0];
    self->demand_count--;
    memmove(self->demands, self->demands + 1, self->demand_count * sizeof(demand));
    if (!demand.request)
        return;
    if (err) {
        bus_fail_err(&demand.request, err);
    } else {
        fault_status_t status = status_of(self);
        bus_reply(&demand.request, &fault_status_type, &status);
    }
}

/* ---- the watch ---------------------------------------------------------------------------- */

static void on_change(void *arg, kube_change_t change, json_t *object)
{
    active_fault_t *self = arg;
    (void)object;
    bool is_idle = self->demand_count == 0 && self->state == FAULT_ACTIVE;
    if (is_idle && change != KUBE_LOST)
        active_fault_demand(self, FAULT_CHECK, NULL);
}

static void start_watch(active_fault_t *self)
{
    if (!self->kind->watched || self->watch)
        return;
    kube_config_t config = {.server = self->server, .token = self->token, .ca_pem = self->ca};
    if (!self->kube)
        self->kube = kube_new(self->ev, &config, NULL);
    if (self->kube)
        self->watch = kube_watch(self->kube,
            KUBE(self->kind->watched, self->record->namespace, NULL), NULL, NULL, on_change, self);
}

static void end_watch(active_fault_t *self)
{
    kube_watch_end(&self->watch);
}

/* ---- the end ------------------------------------------------------------------------------ */

static void fail_all(active_fault_t *self, const err_t *err)
{
    while (self->demand_count)
        answer(self, err);
}

static void on_dropped(void *arg)
{
    active_fault_t *self = arg;
    self->drop_timer = 0;
    injector_on_fault_dropped(self->owner, self);
}

/* With the environment the fault is gone, and all that it was about. */
static void drop(active_fault_t *self)
{
    err_t err;
    err_set(
        &err, ERR_NOT_FOUND, "environment '%s' is gone, and the fault with it", self->record->env);
    self->is_gone = true;
    end_watch(self);
    record_forget(self->record);
    fail_all(self, &err);
    if (!self->drop_timer)
        self->drop_timer = ev_after(self->ev, 0, on_dropped, self);
}

/* ---- work --------------------------------------------------------------------------------- */

static void go_on(active_fault_t *self);

static void clear_work(active_fault_t *self)
{
    json_decref(self->work.evidence);
    self->work = (fault_work_t){.record = self->record};
}

/* On a thread of its own. A half-way failure is rolled back at once. */
static void do_work(void *task)
{
    active_fault_t *self = task;
    fault_work_t *work = &self->work;
    kube_config_t config = {.server = self->server, .token = self->token, .ca_pem = self->ca};
    AUTO(kube_destroy) kube_t *kube = kube_new(NULL, &config, &work->err);
    work->kube = kube;
    if (!kube)
        return;
    if (self->order == FAULT_CHECK) {
        (void)self->kind->check(work, &work->err); /* the code is in err */
        return;
    }
    if (self->order != FAULT_INJECT) {
        (void)self->kind->recover(work, &work->err);
        return;
    }
    if (self->kind->inject(work, &work->err) == 0)
        return;
    err_t cause = {0};
    if (self->kind->recover(work, &cause) < 0)
        (void)err_wrap(&work->err, "not undone (%s)", cause.text);
    else
        (void)err_wrap(&work->err, "rolled back");
}

static void after_check(active_fault_t *self, const err_t *err)
{
    if (!err && self->state == FAULT_ACTIVE && !self->work.is_in_force)
        move(self, FAULT_DEAD, "it is no longer in force, though nobody recovered it");
    else if (!err && self->state == FAULT_DEAD && self->work.is_in_force)
        move(self, FAULT_ACTIVE, NULL);
    answer(self, err);
}

static void after_recovery(active_fault_t *self, const err_t *err)
{
    if (self->order == FAULT_UNDO && !err) {
        json_array_clear(self->record->changes); /* as new: it may be injected again */
        record_forget(self->record);
        self->drop_timer = ev_after(self->ev, UNDONE_MS, on_dropped, self);
        answer(self, NULL);
        return;
    }
    if (self->state == FAULT_NEW)
        move(self, FAULT_RECOVERING, NULL);
    if (err)
        move(self, FAULT_FAILED, err->text);
    else
        move(self, FAULT_RECOVERED, NULL);
    answer(self, NULL);
}

static void on_worked(void *arg, void *task)
{
    active_fault_t *self = arg;
    (void)task;
    self->job = NULL;
    self->work.kube = NULL;
    if (self->is_gone) {
        drop(self);
        return;
    }
    err_t failure = self->work.err;
    const err_t *err = failure.code ? &failure : NULL;
    switch (self->order) {
    case FAULT_CHECK:
        after_check(self, err);
        break;
    case FAULT_INJECT:
        if (err)
            move(self, FAULT_FAILED, err->text);
        else
            move(self, FAULT_ACTIVE, NULL);
        if (!err)
            start_watch(self);
        answer(self, NULL);
        break;
    case FAULT_RECOVER:
    case FAULT_UNDO:
        after_recovery(self, err);
        break;
    }
    go_on(self);
}

static void start_work(active_fault_t *self)
{
    clear_work(self);
    ev_cancel(self->ev, self->drop_timer);
    self->drop_timer = 0;
    if (self->order == FAULT_INJECT) {
        move(self, FAULT_INJECTING, NULL);
    } else if (self->order == FAULT_RECOVER) {
        end_watch(self);
        move(self, FAULT_RECOVERING, NULL);
    }
    self->job = job_start(self->ev, do_work, self, on_worked, self);
    if (!self->job) {
        err_set(&self->work.err, ERR_LIMIT, "no thread could be started");
        on_worked(self, self);
    }
}

/* ---- the environment ---------------------------------------------------------------------- */

static void on_env(void *arg, const bus_reply_t *reply)
{
    active_fault_t *self = arg;
    self->call = 0;
    if (reply->err && reply->err->code == ERR_NOT_FOUND) {
        drop(self);
        return;
    }
    if (reply->err) {
        err_t err = *reply->err;
        err_wrap(&err, "environment '%s'", self->record->env);
        fail_all(self, &err);
        return;
    }
    const env_info_t *info = reply->message;
    self->server = xstrdup(info->server ? info->server : "");
    self->token = xstrdup(info->token ? info->token : "");
    self->ca = info->ca ? xstrdup(info->ca) : NULL;
    if (self->state == FAULT_ACTIVE)
        start_watch(self); /* taken up from a former life */
    go_on(self);
}

static void ask_for_env(active_fault_t *self)
{
    env_get_t message = {.env = self->record->env};
    bus_call_t call = {
        .target = "cluster", .type = &env_get_type, .message = &message, .timeout_ms = ENV_GET_MS};
    self->call = bus_request(self->bus, &call, on_env, self);
}

/* ---- demands ------------------------------------------------------------------------------ */

/* Whether the order means work in the present state; otherwise the state is the answer. */
static bool is_work(const active_fault_t *self, fault_order_t order)
{
    switch (order) {
    case FAULT_INJECT:
        return self->state == FAULT_NEW;
    case FAULT_RECOVER:
        return active_fault_may_move(self->state, FAULT_RECOVERING);
    case FAULT_CHECK:
        return self->state == FAULT_ACTIVE || self->state == FAULT_DEAD;
    case FAULT_UNDO:
        return true;
    }
    return false;
}

static void go_on(active_fault_t *self)
{
    while (self->demand_count && !self->job && !self->call && !self->is_gone) {
        self->order = self->demands[0].order;
        if (!is_work(self, self->order))
            answer(self, NULL);
        else if (!self->server)
            ask_for_env(self);
        else
            start_work(self);
    }
}

void active_fault_demand(active_fault_t *self, fault_order_t order, bus_request_t **request_p)
{
    if (self->demand_count == ARRAY_SIZE(self->demands)) {
        if (request_p)
            bus_refuse(request_p, 1000, "too much is asked of this fault at once");
        return;
    }
    self->demands[self->demand_count++] =
        (fault_demand_t){.order = order, .request = request_p ? TAKE(*request_p) : NULL};
    go_on(self);
}

void active_fault_resume(active_fault_t *self)
{
    const char *state = self->record->state;
    if (strcmp(state, "injecting") == 0) {
        active_fault_demand(self, FAULT_UNDO, NULL);
    } else if (strcmp(state, "recovering") == 0) {
        active_fault_demand(self, FAULT_RECOVER, NULL);
    } else {
        for (fault_state_t i = FAULT_ACTIVE; i < FAULT_STATES; i++) {
            if (strcmp(names[i], state) == 0)
                self->state = i;
        }
        ask_for_env(self);
    }
}

/* ---- life cycle --------------------------------------------------------------------------- */

static void on_env_state(void *arg, const bus_event_t *event)
{
    active_fault_t *self = arg;
    const env_info_t *info = event->message;
    bool is_ours = event->type == &env_info_type && strcmp(info->env, self->record->env) == 0;
    if (!is_ours || (strcmp(info->state, "gone") != 0 && strcmp(info->state, "failed") != 0))
        return;
    self->is_gone = true;
    if (!self->job)
        drop(self); /* else when the work, which must fail now, has ended */
}

active_fault_t *active_fault_new(
    injector_t *owner, ev_t *ev, bus_t *bus, const fault_kind_t *kind, record_t *record)
{
    active_fault_t *self = xcalloc(1, sizeof(*self));
    self->owner = owner;
    self->ev = ev;
    self->bus = bus;
    self->kind = kind;
    self->record = record;
    self->work.record = record;
    AUTO_FREE char *topic = xasprintf("env/%s/state", record->env);
    self->subscription = bus_subscribe(bus, topic, on_env_state, self);
    return self;
}

void active_fault_destroy(active_fault_t **self_p)
{
    active_fault_t *self = TAKE(*self_p);
    if (!self)
        return;
    err_t err;
    err_set(&err, ERR_UNAVAILABLE, "the injector goes away");
    job_join(&self->job);
    bus_cancel(self->bus, self->call);
    bus_unsubscribe(self->bus, self->subscription);
    ev_cancel(self->ev, self->drop_timer);
    fail_all(self, &err);
    kube_watch_end(&self->watch);
    kube_destroy(&self->kube);
    clear_work(self);
    record_destroy(&self->record);
    free(self->server);
    free(self->token);
    free(self->ca);
    free(self);
}
